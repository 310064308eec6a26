// tests/unit/test_compile_lend.c: small functions are inlined in other partitions, and are what they are everywhere.
#include <gelf.h>

#include "tests/unit/compile_code.h"

#define ADD(buf, literal) wx_buf_add((buf), (literal), sizeof(literal) - 1)

// Longer than a partition.
static void put_filler(builder *b) {
    wx_buf body = {0};
    wx_buf_byte(&body, 0);
    for (int i = 0; i < 30000; i++) ADD(&body, "\x41\x08\x20\x00\x36\x02\x04");
    ADD(&body, "\x20\x00\x0b");
    put_body(b, &body);
    wx_buf_free(&body);
}

static void put_small(builder *b, const char *code, size_t size) {
    wx_buf body = {0};
    wx_buf_add(&body, code, size);
    put_body(b, &body);
    wx_buf_free(&body);
}
#define SMALL(b, literal) put_small((b), (literal), sizeof(literal) - 1)

// 0: x + 1   1: 100 / x   2: more than a partition   3: 0(41)   4: 1(x)   5: 0(1(x)), all of i32
static builder apart(void) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    SECTION(&b, FUNC, "\x06\x00\x00\x00\x00\x00\x00");
    SECTION(&b, MEMORY, "\x01\x00\x01");
    SECTION(&b, EXPORT, "\x04\x06" "filler\x00\x02\x05" "fixed\x00\x03\x04" "ways\x00\x04\x04" "both\x00\x05");
    begin(&b, CODE);
    wx_buf_byte(&b.section, 6);
    SMALL(&b, "\x00\x20\x00\x41\x01\x6a\x0b");
    SMALL(&b, "\x00\x41\xe4\x00\x20\x00\x6d\x0b");
    put_filler(&b);
    SMALL(&b, "\x00\x41\x29\x10\x00\x0b");
    SMALL(&b, "\x00\x20\x00\x10\x01\x0b");
    SMALL(&b, "\x00\x20\x00\x10\x01\x10\x00\x0b");
    end(&b);
    return b;
}

static uint64_t size_of_symbol(const wasmx_buffer *object, const char *name) {
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)object->data, object->size);
    uint64_t size = 0;
    for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
        GElf_Shdr head;
        GElf_Sym symbol;
        if (!gelf_getshdr(s, &head) || head.sh_type != SHT_SYMTAB) continue;
        for (int i = 0; gelf_getsym(elf_getdata(s, NULL), i, &symbol); i++) {
            const char *found = elf_strptr(elf, head.sh_link, symbol.st_name);
            if (found && !strcmp(found, name)) size = symbol.st_size;
        }
    }
    elf_end(elf);
    return size;
}

Test(compile_lend, a_call_of_a_small_function_in_another_partition_is_inlined) {
    builder b = apart();
    wasmx_output out = compiled(b.module.data, b.module.len, (wasmx_compile_options){.name = "t", .opt_level = '2'});
    uint64_t fixed = size_of_symbol(&out.object, "t.wx.func.3");
    cr_expect(fixed && fixed < 16, "`return 42` takes %d bytes", (int)fixed); // the look at the stack alone is more
    wasmx_output_free(&out);
    discard(&b);
}

Test(compile_lend, results_and_backtraces_are_the_same_at_every_level) {
    builder b = apart();
    for (const char *level = "0123s"; *level; level++) {
        wasmx_output out = compiled(b.module.data, b.module.len,
                                    (wasmx_compile_options){.name = "t", .opt_level = *level, .debug = true});
        wasmx_instance *i = instance_of(wasmx_code_module(loaded(&out, "t")), NULL);
        cr_expect_eq(result_of(i, "fixed", 0), 42);
        cr_expect_eq(result_of(i, "both", 7), 15);
        cr_expect_eq(status_of(i, "both", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
        const wasmx_trap *t = wasmx_last_trap(i);
        cr_expect(t->frame_count == 2 && t->frames[0].func == 1 && t->frames[1].func == 5, "-O%c", *level);
        wasmx_instance_free(i);
        wasmx_output_free(&out);
    }
    discard(&b);
}
