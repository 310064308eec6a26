// tests/programs/interp.c: a stack machine: an assembler for its text, and one big switch. Ends with status 42.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

#define OPS(OP) \
    OP(HALT, 0) \
    OP(PUSH, 1) OP(POP, 0) OP(DUP, 0) OP(SWAP, 0) OP(OVER, 0) OP(ADD, 0) OP(SUB, 0) OP(MUL, 0) OP(DIV, 0) OP(MOD, 0) \
        OP(AND, 0) OP(OR, 0) OP(XOR, 0) OP(SHL, 0) OP(SHR, 0) OP(LT, 0) OP(EQ, 0) OP(NOT, 0) OP(JMP, 1) OP(JZ, 1) \
            OP(CALL, 1) OP(RET, 0) OP(GET, 1) OP(SET, 1) OP(LOAD, 0) OP(STORE, 0) OP(PRINT, 0)

enum op {
#define OP(name, args) name,
    OPS(OP)
#undef OP
};
static const struct {
    const char *name;
    int args;
} ops[] = {
#define OP(name, args) {#name, args},
    OPS(OP)
#undef OP
};

enum { CODE = 512, STACK = 4096, LABELS = 32, CELLS = 1 << 16 };

struct program {
    int32_t code[CODE];
    int len;
    struct {
        char name[16];
        int at;
    } label[LABELS];
    int labels;
};

// ---- assembler: two passes over the words; `name:` defines a label, `;` starts a comment that ends with its line

static int find_label(struct program *p, const char *name, size_t len) {
    for (int i = 0; i < p->labels; i++)
        if (strlen(p->label[i].name) == len && !memcmp(p->label[i].name, name, len)) return i;
    return -1;
}

static int32_t operand(struct program *p, const char *word, size_t len) {
    int label = find_label(p, word, len);
    return label >= 0 ? p->label[label].at : (int32_t)strtol(word, NULL, 0);
}

static int find_op(const char *word, size_t len) {
    for (int i = 0; i < (int)(sizeof ops / sizeof *ops); i++)
        if (strlen(ops[i].name) == len && !memcmp(ops[i].name, word, len)) return i;
    return -1;
}

static const char *next_word(const char *s, size_t *len) {
    for (;;) {
        s += strspn(s, " \n");
        if (*s != ';') break;
        s += strcspn(s, "\n");
    }
    *len = strcspn(s, " \n");
    return s;
}

static int assemble(struct program *p, const char *text) {
    memset(p, 0, sizeof *p);
    for (int pass = 0; pass < 2; pass++) {
        size_t len;
        p->len = 0;
        for (const char *w = next_word(text, &len); len; w = next_word(w + len, &len)) {
            if (w[len - 1] == ':') {
                if (pass) continue;
                memcpy(p->label[p->labels].name, w, len - 1);
                p->label[p->labels++].at = p->len;
                continue;
            }
            int op = find_op(w, len);
            if (op < 0) return printf("no such op: %.*s\n", (int)len, w), 0;
            p->code[p->len++] = op;
            if (ops[op].args) w = next_word(w + len, &len), p->code[p->len++] = operand(p, w, len);
        }
    }
    return 1;
}

// ---- the machine

struct machine {
    int32_t stack[STACK], cells[CELLS], locals[STACK];
    int calls[STACK];
    uint64_t steps;
};

static const char *run(struct machine *m, const struct program *p, uint64_t limit) {
    int32_t *sp = m->stack, *frame = m->locals;
    int *calls = m->calls;
    const int32_t *pc = p->code;
    for (uint64_t steps = 0;; steps++) {
        m->steps = steps;
        if (steps == limit) return "out of steps";
        if (sp > m->stack + STACK - 4) return "stack overflow";
        switch ((enum op) * pc++) {
        case HALT: return "halted";
        case PUSH: *sp++ = *pc++; break;
        case POP: sp--; break;
        case DUP: sp[0] = sp[-1], sp++; break;
        case SWAP: sp[0] = sp[-1], sp[-1] = sp[-2], sp[-2] = sp[0]; break;
        case OVER: sp[0] = sp[-2], sp++; break;
        case ADD: sp--, sp[-1] = (int32_t)((uint32_t)sp[-1] + (uint32_t)sp[0]); break;
        case SUB: sp--, sp[-1] = (int32_t)((uint32_t)sp[-1] - (uint32_t)sp[0]); break;
        case MUL: sp--, sp[-1] = (int32_t)((uint32_t)sp[-1] * (uint32_t)sp[0]); break;
        case DIV:
            sp--;
            if (!sp[0]) return "division by zero";
            sp[-1] = sp[0] == -1 ? (int32_t) - (uint32_t)sp[-1] : sp[-1] / sp[0];
            break;
        case MOD:
            sp--;
            if (!sp[0]) return "division by zero";
            sp[-1] = sp[0] == -1 ? 0 : sp[-1] % sp[0];
            break;
        case AND: sp--, sp[-1] &= sp[0]; break;
        case OR: sp--, sp[-1] |= sp[0]; break;
        case XOR: sp--, sp[-1] ^= sp[0]; break;
        case SHL: sp--, sp[-1] = (int32_t)((uint32_t)sp[-1] << (sp[0] & 31)); break;
        case SHR: sp--, sp[-1] = sp[-1] >> (sp[0] & 31); break;
        case LT: sp--, sp[-1] = sp[-1] < sp[0]; break;
        case EQ: sp--, sp[-1] = sp[-1] == sp[0]; break;
        case NOT: sp[-1] = !sp[-1]; break;
        case JMP: pc = p->code + *pc; break;
        case JZ: pc = *--sp ? pc + 1 : p->code + *pc; break;
        case CALL:
            if (calls == m->calls + STACK / 8) return "call depth";
            *calls++ = (int)(pc + 1 - p->code), frame += 4, pc = p->code + *pc;
            break;
        case RET:
            if (calls == m->calls) return "return without call";
            pc = p->code + *--calls, frame -= 4;
            break;
        case GET: *sp++ = frame[*pc++]; break;
        case SET: frame[*pc++] = *--sp; break;
        case LOAD: sp[-1] = m->cells[(uint32_t)sp[-1] % CELLS]; break;
        case STORE: sp -= 2, m->cells[(uint32_t)sp[0] % CELLS] = sp[1]; break;
        case PRINT: printf(" %d", (int)*--sp); break;
        }
    }
}

static const struct {
    const char *name, *text;
} programs[] = {
    {"fib", "PUSH 25 CALL fib PRINT HALT\n"
            "fib: DUP PUSH 2 LT JZ deep RET ; n < 2 is its own answer\n"
            "deep: SET 0 GET 0 PUSH 1 SUB CALL fib GET 0 PUSH 2 SUB CALL fib ADD RET"},
    {"sieve", "PUSH 2 SET 0\n"
              "outer: GET 0 PUSH 60000 LT JZ count GET 0 LOAD NOT JZ next\n"
              "GET 0 DUP MUL SET 1 GET 0 PUSH 250 LT JZ next\n"
              "mark: GET 1 PUSH 60000 LT JZ next GET 1 PUSH 1 STORE GET 1 GET 0 ADD SET 1 JMP mark\n"
              "next: GET 0 PUSH 1 ADD SET 0 JMP outer\n"
              "count: PUSH 0 SET 2 PUSH 2 SET 0\n"
              "each: GET 0 PUSH 60000 LT JZ done GET 0 LOAD NOT GET 2 ADD SET 2 GET 0 PUSH 1 ADD SET 0 JMP each\n"
              "done: GET 2 PRINT HALT"},
    {"collatz",
     "PUSH 1 SET 0 PUSH 0 SET 1\n"
     "outer: GET 0 PUSH 20000 LT JZ done GET 0 PUSH 0\n" // value, steps
     "step: OVER PUSH 1 EQ NOT JZ end PUSH 1 ADD SWAP DUP PUSH 1 AND JZ even PUSH 3 MUL PUSH 1 ADD SWAP JMP step\n"
     "even: PUSH 1 SHR SWAP JMP step\n"
     "end: SWAP POP DUP GET 1 SWAP LT JZ less DUP SET 1 GET 0 SET 2\n"
     "less: POP GET 0 PUSH 1 ADD SET 0 JMP outer\n"
     "done: GET 2 PRINT GET 1 PRINT HALT"},
    {"zero", "PUSH 1 PUSH 0 DIV PRINT HALT"},
    {"deep", "again: CALL again"},
    {"push", "again: PUSH 1 JMP again"},
    {"ever", "again: JMP again"},
    {"edge", "PUSH -2147483648 PUSH -1 DIV PRINT PUSH -2147483648 PUSH -1 MOD PRINT PUSH -7 PUSH 2 DIV PRINT PUSH -7 "
             "PUSH 2 MOD PRINT RET"},
};

int main(void) {
    struct program *p = malloc(sizeof *p);
    struct machine *m = malloc(sizeof *m);
    if (!p || !m) return 1;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        memset(m, 0, sizeof *m);
        printf("%s:", programs[i].name);
        if (!assemble(p, programs[i].text)) return 1;
        const char *why = run(m, p, 50000000);
        printf(" (%s after %llu steps, code %d)\n", why, (unsigned long long)m->steps, p->len);
    }
    free(m);
    free(p);
    return 42;
}
