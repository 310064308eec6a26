// compiler/dwarf.cc: line tables, through LLVM's reader of DWARF, which has no door for C. The only C++ file here.
//
// in: an object of ours, or the debug sections of a module, which nobody vouches for   out: rows
#include "compiler/dwarf.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <llvm/ADT/StringMap.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>

using namespace llvm;

namespace {

constexpr size_t most_rows = size_t(1) << 26, most_file_bytes = size_t(1) << 24;

void ignore(Error e) { consumeError(std::move(e)); }

// Sorts by key, keeps the last of several rows with one key, and of several that say the same the first.
void settle(std::vector<wx_row> &rows) {
    auto less = [](const wx_row &x, const wx_row &y) { return x.key < y.key; };
    if (!std::is_sorted(rows.begin(), rows.end(), less)) std::stable_sort(rows.begin(), rows.end(), less);
    size_t n = 0;
    for (const wx_row &row : rows) {
        if (n && rows[n - 1].key == row.key) n--;
        if (!n || rows[n - 1].a != row.a || rows[n - 1].b != row.b) rows[n++] = row;
    }
    rows.resize(n);
}

void give(const std::vector<wx_row> &rows, wx_buf *out) {
    if (!rows.empty()) wx_buf_add(out, rows.data(), rows.size() * sizeof rows[0]);
}

// ---- The lines of a module

struct reading {
    const wx_debug_input *input;
    wx_debug_rows *out;
    std::vector<wx_row> rows;
    StringMap<uint32_t> numbers;

    void complain(Error e) {
        out->broken = true;
        ignore(std::move(e));
    }
};

uint32_t file_number(reading &r, const std::string &path) {
    auto [at, added] = r.numbers.try_emplace(path.c_str(), r.numbers.size());
    if (added) wx_buf_add(&r.out->files, path.c_str(), std::char_traits<char>::length(path.c_str()) + 1);
    return at->second;
}

// Functions that the linker left out have their lines at 0, or nowhere near.
bool is_real(const reading &r, const DWARFDebugLine::Sequence &s) {
    return s.LowPC < s.HighPC && s.LowPC + r.input->base >= r.input->low && s.HighPC + r.input->base <= r.input->high;
}

bool add_sequence(reading &r, const DWARFDebugLine::LineTable &t, const DWARFDebugLine::Sequence &s, StringRef folder,
                  std::vector<uint32_t> &known) {
    for (size_t i = s.FirstRowIndex; i < s.LastRowIndex && i < t.Rows.size(); i++) {
        const DWARFDebugLine::Row &row = t.Rows[i];
        wx_row out = {static_cast<uint32_t>(row.Address.Address + r.input->base), row.EndSequence ? 0 : row.Line, 0};
        if (known.size() <= row.File) known.resize(size_t(row.File) + 1, UINT32_MAX);
        uint32_t &file = known[row.File];
        std::string path;
        if (out.a && file == UINT32_MAX) {
            auto kind = DILineInfoSpecifier::FileLineInfoKind::RelativeFilePath;
            file = t.getFileNameByIndex(row.File, folder, kind, path) ? file_number(r, path) : UINT32_MAX - 1;
        }
        if (file == UINT32_MAX - 1) out.a = 0;
        else if (out.a) out.b = file;
        if (r.rows.size() >= most_rows || r.out->files.len > most_file_bytes) return false;
        r.rows.push_back(out);
    }
    return true;
}

bool add_unit(reading &r, DWARFContext &context, DWARFUnit &unit) {
    auto table = context.getLineTableForUnit(&unit, [&r](Error e) { r.complain(std::move(e)); });
    if (!table) r.complain(table.takeError());
    else if (*table) {
        const char *folder = unit.getCompilationDir();
        std::vector<uint32_t> known;
        for (const DWARFDebugLine::Sequence &s : (*table)->Sequences)
            if (is_real(r, s) && !add_sequence(r, **table, s, folder ? folder : "", known)) return false;
    }
    context.clearLineTableForUnit(&unit);
    return true;
}

} // namespace

bool wx_object_rows(const wx_buf *object, const char *section, wx_buf *out, uint64_t *size, uint64_t *alignment,
                    wx_error *e) {
    auto cannot = [e](Error why) {
        ignore(std::move(why));
        return wx_fail(e, WX_ERR_BACKEND, "LLVM cannot read the line table it wrote");
    };
    StringRef bytes(reinterpret_cast<const char *>(object->data), object->len);
    auto file = object::ObjectFile::createELFObjectFile(MemoryBufferRef(bytes, ""));
    if (!file) return cannot(file.takeError());
    for (const object::SectionRef &s : (*file)->sections()) {
        auto name = s.getName();
        if (!name) ignore(name.takeError());
        else if (*name == section) *size = s.getSize(), *alignment = s.getAlignment().value();
    }
    auto relocate = DWARFContext::ProcessDebugRelocations::Process;
    auto context = DWARFContext::create(**file, relocate, nullptr, "", ignore, ignore);
    std::vector<wx_row> rows;
    for (const auto &unit : context->compile_units()) {
        auto table = context->getLineTableForUnit(unit.get(), ignore);
        if (!table) return cannot(table.takeError());
        if (!*table) continue;
        for (const DWARFDebugLine::Row &row : (*table)->Rows)
            rows.push_back({static_cast<uint32_t>(row.Address.Address), row.EndSequence ? 0 : row.Line, row.Column});
    }
    settle(rows);
    give(rows, out);
    return true;
}

bool wx_read_debug(const wx_debug_input *input, wx_debug_rows *out) {
    reading r = {input, out, {}, {}};
    StringMap<std::unique_ptr<MemoryBuffer>> sections;
    for (size_t i = 0; i < input->count; i++) {
        const wx_debug_section &s = input->sections[i];
        StringRef bytes(reinterpret_cast<const char *>(s.bytes), s.size);
        sections[s.name] = MemoryBuffer::getMemBuffer(bytes, s.name, false);
    }
    auto complain = [&r](Error e) { r.complain(std::move(e)); };
    auto context = DWARFContext::create(sections, 4, true, complain, complain);
    for (const auto &unit : context->compile_units())
        if (!add_unit(r, *context, *unit)) return false;
    settle(r.rows);
    give(r.rows, &out->rows);
    out->file_count = r.numbers.size();
    return true;
}
