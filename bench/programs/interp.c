// interp: a register machine that counts primes and sorts: the loop of a switch that every interpreter has.
#include "bench.h"

enum op { LOAD_CONST, MOVE, ADD, ADD_CONST, MUL, REM, AND, LESS, EQUAL, JUMP, JUMP_IF, JUMP_UNLESS, LOAD, STORE, HALT };
struct instruction { uint8_t op, a, b, c; int32_t k; };

enum { CELLS = 1 << 16 };
static int32_t cell[CELLS];
static struct instruction code[128];
static int code_size;

static int emit(enum op op, int a, int b, int c, int32_t k) {
    code[code_size] = (struct instruction){(uint8_t)op, (uint8_t)a, (uint8_t)b, (uint8_t)c, k};
    return code_size++;
}

// Registers: 1 the outer index, 2 the inner, 3.. temporaries; 15 the result.
static void emit_primes(int32_t limit) {
    emit(LOAD_CONST, 1, 0, 0, 2);
    emit(LOAD_CONST, 9, 0, 0, limit);
    int outer = emit(LOAD_CONST, 2, 0, 0, 2);
    int inner = emit(MUL, 3, 2, 2, 0);
    emit(LESS, 4, 1, 3, 0);
    int prime = emit(JUMP_IF, 4, 0, 0, 0);
    emit(REM, 5, 1, 2, 0);
    int composite = emit(JUMP_UNLESS, 5, 0, 0, 0);
    emit(ADD_CONST, 2, 2, 0, 1);
    emit(JUMP, 0, 0, 0, inner);
    code[prime].k = emit(ADD_CONST, 15, 15, 0, 1);
    code[composite].k = emit(ADD_CONST, 1, 1, 0, 1);
    emit(LESS, 4, 1, 9, 0);
    emit(JUMP_IF, 4, 0, 0, outer);
}

// Fills with a recurrence, then sorts by insertion; adds what lies in the middle to the result.
static void emit_sort(int32_t count) {
    emit(LOAD_CONST, 1, 0, 0, 0);
    emit(LOAD_CONST, 9, 0, 0, count);
    emit(LOAD_CONST, 6, 0, 0, 7);
    emit(LOAD_CONST, 7, 0, 0, 75);
    emit(LOAD_CONST, 8, 0, 0, 0xffff);
    int fill = emit(MUL, 6, 6, 7, 0);
    emit(ADD_CONST, 6, 6, 0, 74);
    emit(AND, 6, 6, 8, 0);
    emit(STORE, 6, 1, 0, 0);
    emit(ADD_CONST, 1, 1, 0, 1);
    emit(LESS, 4, 1, 9, 0);
    emit(JUMP_IF, 4, 0, 0, fill);
    emit(LOAD_CONST, 1, 0, 0, 1);
    int outer = emit(LOAD, 3, 1, 0, 0);
    emit(MOVE, 2, 1, 0, 0);
    int inner = emit(LOAD, 5, 2, 0, -1);
    emit(LESS, 4, 3, 5, 0);
    int placed = emit(JUMP_UNLESS, 4, 0, 0, 0);
    emit(STORE, 5, 2, 0, 0);
    emit(ADD_CONST, 2, 2, 0, -1);
    emit(JUMP_IF, 2, 0, 0, inner);
    code[placed].k = emit(STORE, 3, 2, 0, 0);
    emit(ADD_CONST, 1, 1, 0, 1);
    emit(LESS, 4, 1, 9, 0);
    emit(JUMP_IF, 4, 0, 0, outer);
    emit(LOAD_CONST, 2, 0, 0, count / 2);
    emit(LOAD, 3, 2, 0, 0);
    emit(ADD, 15, 15, 3, 0);
}

static void prepare(void) {
    emit_primes(110000 + (int32_t)(rng_below(2)));
    emit_sort(5000);
    emit(HALT, 0, 0, 0, 0);
}

static int32_t run(const struct instruction *pc) {
    int32_t r[16] = {0};
    uint32_t steps = 0;
    for (;; pc++, steps++) {
        switch (pc->op) {
        case LOAD_CONST: r[pc->a & 15] = pc->k; break;
        case MOVE: r[pc->a & 15] = r[pc->b & 15]; break;
        case ADD: r[pc->a & 15] = r[pc->b & 15] + r[pc->c & 15]; break;
        case ADD_CONST: r[pc->a & 15] = r[pc->b & 15] + pc->k; break;
        case MUL: r[pc->a & 15] = (int32_t)((uint32_t)r[pc->b & 15] * (uint32_t)r[pc->c & 15]); break;
        case REM: r[pc->a & 15] = (int32_t)((uint32_t)r[pc->b & 15] % (uint32_t)r[pc->c & 15]); break;
        case AND: r[pc->a & 15] = r[pc->b & 15] & r[pc->c & 15]; break;
        case LESS: r[pc->a & 15] = r[pc->b & 15] < r[pc->c & 15]; break;
        case EQUAL: r[pc->a & 15] = r[pc->b & 15] == r[pc->c & 15]; break;
        case JUMP: pc = code + pc->k - 1; break;
        case JUMP_IF: if (r[pc->a & 15]) pc = code + pc->k - 1; break;
        case JUMP_UNLESS: if (!r[pc->a & 15]) pc = code + pc->k - 1; break;
        case LOAD: r[pc->a & 15] = cell[(uint32_t)(r[pc->b & 15] + pc->k) % CELLS]; break;
        case STORE: cell[(uint32_t)(r[pc->b & 15] + pc->k) % CELLS] = r[pc->a & 15]; break;
        case HALT: return (int32_t)((uint32_t)r[15] * 31 + steps);
        }
    }
}

static uint64_t work(void) {
    uint64_t sum = (uint32_t)run(code);
    return sum * 31 + sum_bytes(cell, 20000);
}
