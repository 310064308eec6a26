// wasm/wat.cc: the text format, through wabt's parser. The only C++ file of this folder.
//
// in: text. out: a binary module, not validated, or WX_ERR_TEXT with line and column. needs: libwabt.
//
// wabt's parser asserts on some malformed text, so it runs in a process of its own (isolate.h). Its functions call
// themselves once a level of nesting, so there they run on a thread with a large stack, and text nested deeper than
// that stack surely holds is refused before.
#include <cstring>
#include <memory>
#include <string>

#include <wabt/binary-writer.h>
#include <wabt/error.h>
#include <wabt/feature.h>
#include <wabt/ir.h>
#include <wabt/stream.h>
#include <wabt/wast-lexer.h>
#include <wabt/wast-parser.h>

extern "C" {
#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"
#include "wasm/isolate.h"
bool wx_text_to_binary(const char *file, const char *text, size_t len, wx_buf *out, wx_error *e);
}

namespace {

constexpr long deepest = 10000;

struct conversion {
    const char *file, *text;
    size_t len;
    wx_buf *out;
    wx_error *error;
};

bool is_word(char c) { return c > ' ' && !strchr("\"();", c); }

size_t skip_line(const char *text, size_t len, size_t at) {
    while (at < len && text[at] != '\n') at++;
    return at;
}

size_t skip_string(const char *text, size_t len, size_t at) {
    for (at++; at < len && text[at] != '"' && text[at] != '\n'; at++)
        if (text[at] == '\\') at++;
    return at + 1;
}

size_t skip_comment(const char *text, size_t len, size_t at) {
    long depth = 0;
    do {
        bool opens = at + 1 < len && text[at] == '(' && text[at + 1] == ';';
        bool closes = at + 1 < len && text[at] == ';' && text[at + 1] == ')';
        depth += opens - closes;
        at += opens || closes ? 2 : 1;
    } while (depth && at < len);
    return at;
}

bool opens_block(const std::string &word) {
    return word == "block" || word == "loop" || word == "if" || word == "try" || word == "try_table";
}

// Levels of nesting where the text ends or becomes too deep: one for each parenthesis that is open, one for each block
// that flat code opened and has not ended.
struct nesting {
    long parens, blocks;
};

nesting measure(const char *text, size_t len) {
    nesting n = {0, 0};
    bool after_paren = false;
    for (size_t at = 0; at < len && n.parens + n.blocks <= deepest;) {
        char c = text[at], next = at + 1 < len ? text[at + 1] : 0;
        if (c == '"') at = skip_string(text, len, at);
        else if (c == ';' && next == ';') at = skip_line(text, len, at);
        else if (c == '(' && next == ';') at = skip_comment(text, len, at);
        else if (is_word(c)) {
            size_t start = at;
            while (at < len && is_word(text[at])) at++;
            std::string word(text + start, at - start);
            n.blocks += opens_block(word) && !after_paren;
            n.blocks -= word == "end" && n.blocks > 0;
            after_paren = false;
        } else {
            n.parens += c == '(';
            n.parens -= c == ')' && n.parens > 0;
            if (c > ' ') after_paren = c == '(';
            at++;
        }
    }
    return n;
}

// wabt reads an annotation without its end for ever, so open parentheses at the end are refused here.
bool check_nesting(const char *text, size_t len, wx_error *e) {
    nesting n = measure(text, len);
    if (n.parens + n.blocks > deepest)
        return wx_fail(e, WX_ERR_LIMIT, "text nested more than %ld levels deep", deepest);
    return !n.parens || wx_fail(e, WX_ERR_TEXT, "unexpected end of file: %ld parentheses are open", n.parens);
}

void report(const conversion *c, const wabt::Errors &errors) {
    if (errors.empty()) {
        wx_fail(c->error, WX_ERR_TEXT, "unexpected token");
        return;
    }
    const wabt::Error &first = errors[0];
    std::string message = first.message.substr(0, first.message.find('\n'));
    wx_fail(c->error, WX_ERR_TEXT, "%d:%d: %s", first.loc.line, first.loc.first_column, message.c_str());
}

void convert_on_thread(void *arg, size_t) {
    auto *c = static_cast<conversion *>(arg);
    wabt::Features features;
    features.EnableAll();
    wabt::Errors errors;
    std::unique_ptr<wabt::Module> module;
    auto lexer = wabt::WastLexer::CreateBufferLexer(c->file, c->text, c->len, &errors);
    wabt::WastParseOptions options(features);
    if (wabt::Failed(wabt::ParseWatModule(lexer.get(), &module, &errors, &options))) {
        report(c, errors);
        return;
    }
    wabt::MemoryStream stream;
    wabt::WriteBinaryOptions binary;
    binary.features = features;
    binary.write_debug_names = true;
    if (wabt::Failed(wabt::WriteBinaryModule(&stream, module.get(), binary))) {
        wx_fail(c->error, WX_ERR_TEXT, "this module has no binary form");
        return;
    }
    wx_buf_add(c->out, stream.output_buffer().data.data(), stream.output_buffer().data.size());
}

void convert(void *arg, wx_buf *out, wx_error *e) {
    auto *c = static_cast<conversion *>(arg);
    c->out = out;
    c->error = e;
    wx_parallel(1, 1, convert_on_thread, c);
}

} // namespace

bool wx_text_to_binary(const char *file, const char *text, size_t len, wx_buf *out, wx_error *e) {
    if (e->code != WX_OK || !check_nesting(text, len, e)) return false;
    conversion c = {file, text, len, nullptr, nullptr};
    unsigned seconds = 20 + static_cast<unsigned>(len / 100000);
    return wx_isolated(convert, &c, seconds, out, e);
}
