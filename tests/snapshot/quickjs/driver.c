// tests/snapshot/quickjs/driver.c: QuickJS with a program, for snapshots: the engine's sources are of an npm package (see
// tests/snapshot/build.sh), this is all that is ours.
//
// wizer-initialize: makes the engine and evaluates the program on standard input. resume: calls its function main. _start,
// and the same file compiled for the machine: one after the other.
#include <stdio.h>
#include <stdlib.h>

#include "quickjs.h"

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(name)))
extern void __wasm_call_ctors(void);
#else
#define EXPORT(name)
static void __wasm_call_ctors(void) {}
#endif

static JSContext *context;

static void end_if_exception(JSValue v) {
    if (!JS_IsException(v)) return;
    JSValue error = JS_GetException(context);
    const char *text = JS_ToCString(context, error);
    printf("%s\n", text ? text : "an exception");
    fflush(stdout);
    abort();
}

static JSValue print(JSContext *c, JSValueConst self, int count, JSValueConst *values) {
    (void)self;
    for (int i = 0; i < count; i++) {
        const char *text = JS_ToCString(c, values[i]);
        if (!text) return JS_EXCEPTION;
        printf(i ? " %s" : "%s", text);
        JS_FreeCString(c, text);
    }
    putchar('\n');
    return JS_UNDEFINED;
}

static char *read_program(size_t *size) {
    char *text = NULL;
    for (size_t n;; *size += n) {
        text = realloc(text, *size + 4097);
        if (!text) abort();
        n = fread(text + *size, 1, 4096, stdin);
        text[*size + n] = 0;
        if (!n) return text;
    }
}

static void end_jobs(void) {
    JSContext *c;
    int status;
    while ((status = JS_ExecutePendingJob(JS_GetRuntime(context), &c)) > 0) {}
    if (status < 0) end_if_exception(JS_EXCEPTION);
}

EXPORT("wizer-initialize") void initialise(void) {
    size_t size = 0;
    __wasm_call_ctors();
    char *program = read_program(&size);
    context = JS_NewContext(JS_NewRuntime());
    if (!context) abort();
    JSValue global = JS_GetGlobalObject(context);
    JS_SetPropertyStr(context, global, "print", JS_NewCFunction(context, print, "print", 1));
    JSValue v = JS_Eval(context, program, size, "program.js", JS_EVAL_TYPE_GLOBAL);
    end_if_exception(v);
    end_jobs();
    JS_FreeValue(context, v);
    JS_FreeValue(context, global);
    free(program);
}

EXPORT("resume") void resume(void) {
    JSValue global = JS_GetGlobalObject(context);
    JSValue function = JS_GetPropertyStr(context, global, "main");
    JSValue v = JS_Call(context, function, global, 0, NULL);
    end_if_exception(v);
    end_jobs();
    JS_FreeValue(context, v);
    JS_FreeValue(context, function);
    JS_FreeValue(context, global);
    fflush(stdout);
}

int main(void) {
    initialise();
    resume();
    return 0;
}
