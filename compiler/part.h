// compiler/part.h: one partition: an LLVM context, module and builder on one thread.
#pragma once
#include <llvm-c/DebugInfo.h>

#include "compiler/unit.h"

// Alias scopes: what can never be the same byte (DESIGN section 3). An access in one is !noalias with all others.
typedef enum scope {
    SCOPE_HEAP, SCOPE_GLOBAL, SCOPE_TABLE, SCOPE_SIZE,
    SCOPE_OBJECT, SCOPE_HEAD, // fields and elements; tags and lengths
    SCOPE_ALLOCATOR,          // where the heap is, and its free cells
    SCOPE_COUNT
} scope;

// Intrinsics by the names that opcodes.def uses.
#define INTRINSICS(X) \
    X(CTLZ, "llvm.ctlz") X(CTTZ, "llvm.cttz") X(CTPOP, "llvm.ctpop") X(FSHL, "llvm.fshl") X(FSHR, "llvm.fshr") \
    X(FABS, "llvm.fabs") X(CEIL, "llvm.ceil") X(FLOOR, "llvm.floor") X(TRUNC, "llvm.trunc") \
    X(ROUNDEVEN, "llvm.roundeven") X(SQRT, "llvm.sqrt") X(MINIMUM, "llvm.minimum") X(MAXIMUM, "llvm.maximum") \
    X(COPYSIGN, "llvm.copysign") X(SADD_SAT, "llvm.sadd.sat") X(UADD_SAT, "llvm.uadd.sat") \
    X(SSUB_SAT, "llvm.ssub.sat") X(USUB_SAT, "llvm.usub.sat") X(SMIN, "llvm.smin") X(UMIN, "llvm.umin") \
    X(SMAX, "llvm.smax") X(UMAX, "llvm.umax") X(ABS, "llvm.abs") X(FPTOSI_SAT, "llvm.fptosi.sat") \
    X(FPTOUI_SAT, "llvm.fptoui.sat") X(MEMMOVE, "llvm.memmove") X(MEMSET, "llvm.memset") \
    X(UBSANTRAP, "llvm.ubsantrap") X(READ_REGISTER, "llvm.read_register") \
    X(REDUCE_OR, "llvm.vector.reduce.or") X(REDUCE_AND, "llvm.vector.reduce.and")
enum {
#define X(name, text) name,
    INTRINSICS(X)
#undef X
    INTRINSIC_COUNT
};

enum helper {
#define FIELD(s, f)
#define HELPER(name, ...) HELP_##name,
#include "runtime/abi.def"
#undef FIELD
#undef HELPER
    HELP_COUNT
};

typedef struct part {
    const wx_unit *u;
    const wx_plan *plan;
    wx_error *e;
    LLVMContextRef c;
    LLVMModuleRef m;
    LLVMBuilderRef b;
    LLVMTypeRef i1, i8, i16, i32, i64, f32, f64, ptr, v128, void_;
    LLVMValueRef *funcs;        // per function: its value in this module, made on demand
    LLVMTypeRef *types;         // per type index: the LLVM function type, made on demand
    LLVMValueRef helpers[HELP_COUNT];
    unsigned intrinsics[INTRINSIC_COUNT];
    LLVMValueRef scopes[SCOPE_COUNT], noalias[SCOPE_COUNT]; // metadata
    unsigned md_scope, md_noalias, md_invariant, md_prof, md_range, md_cold; // md_cold: ours, on checks of slow loops
    LLVMValueRef empty_md, unlikely_md;
    unsigned attr_swiftself, attr_nounwind, attr_uwtable, attr_noinline, attr_nomerge;
    uint32_t map_count;         // entries of the address map (map.c)
    LLVMDIBuilderRef di;        // debug.c; NULL without debug information
    LLVMMetadataRef di_file, di_type, di_func;
    wx_map di_funcs, di_sites;  // debug.c: what a function's scope and a call's node stand for
    wx_buf inlined;             // wxrt_inlined
    char *section;
    wx_arena scratch;           // reset after each function
} part;

#define TAILCC 18 // llvm::CallingConv::Tail; the C header has no enumerator for it

// Where the fields of an instance are, in bytes from ctx (negative).
#define INSTANCE_AT (-(int64_t)(WXRT_LOW_GUARD + sizeof(struct wasmx_instance)))
#define INSTANCE_FIELD(f) (INSTANCE_AT + (int64_t)offsetof(struct wasmx_instance, f))

// part.c
void part_open(part *p, const wx_unit *u, const wx_plan *plan, wx_error *e);
void part_close(part *p);
LLVMTypeRef value_type(part *p, wx_type t);
LLVMTypeRef func_type(part *p, uint32_t type);   // as abi.h describes
LLVMTypeRef result_type(part *p, const wx_typedef *t);
bool results_in_memory(const wx_typedef *t);     // more than two
LLVMValueRef func_value(part *p, uint32_t func); // declared on demand; calling convention set
void declare_bodies(part *p); // of the plan's functions; everything that refers to them comes after
LLVMValueRef new_func(part *p, const char *name, LLVMTypeRef type, bool has_ctx); // hidden or internal, our section
LLVMValueRef helper_value(part *p, enum helper h, LLVMTypeRef *type);
LLVMValueRef declare_intrinsic(part *p, int which, LLVMTypeRef *overloads, unsigned n, LLVMTypeRef *type);
LLVMValueRef hidden_global(part *p, const char *name, LLVMTypeRef type); // declared, defined in the last partition
void set_scope(part *p, LLVMValueRef access, scope s);
void set_invariant(part *p, LLVMValueRef load);
void set_range(part *p, LLVMValueRef load, uint64_t least, uint64_t most); // of an i64
LLVMValueRef ci32(part *p, uint64_t v);
LLVMValueRef ci64(part *p, uint64_t v);
LLVMValueRef byte_offset(part *p, LLVMValueRef base, int64_t offset);
LLVMValueRef call_helper(part *p, enum helper h, LLVMValueRef *args, unsigned n);
LLVMValueRef instance_of(part *p, LLVMValueRef ctx);
LLVMValueRef build_trap(part *p, unsigned code); // the call alone; build `unreachable` after it
char *numbered(part *p, const char *kind, uint64_t n); // NAME.wx.kind.n, in scratch
char *symbol(part *p, const char *suffix);       // NAME.wx.suffix, in scratch

// emit.c: the body of one function.
void emit_function(part *p, uint32_t func);
// void (swiftself ctx, frame, entry): the body with its locals in a frame of 8 bytes each; it begins where entry says:
// 0, or the number of a loop, in the order of the text. Results go to the front of the frame. Found through the map.
void emit_whole(part *p, uint32_t func);
// lend.c: after the partition's own functions.
void lend_functions(part *p);
// init.c: what instantiation runs; NULL when there is nothing to run.
LLVMValueRef emit_init(part *p);
LLVMValueRef emit_init_thunk(part *p);
// adapters.c
LLVMValueRef c_entry(part *p, uint32_t func);       // code with the C calling convention, for any function
LLVMValueRef signature_thunk(part *p, uint32_t type);
LLVMValueRef typed_adapter(part *p, uint32_t import);
LLVMValueRef callback_adapter(part *p, uint32_t import);
LLVMValueRef unknown_import_stub(part *p, uint32_t import);
void emit_tail_entries(part *p);                    // C entries of this partition's tailcc functions
void emit_export_functions(part *p);                // what the header declares
// constants.c
void emit_descriptor(part *p);
LLVMValueRef table_image(part *p, uint32_t table);  // constant tables: the array, declared or defined
LLVMTypeRef table_entry_type(part *p);
// profile.c
void profile_summary(part *p);                      // of the whole module, as LLVM wants it
LLVMValueRef define_counters(part *p);
// passes.c
bool is_call(LLVMValueRef i); // of a function: no intrinsic, no assembly
void optimise(part *p, LLVMTargetMachineRef tm);
void insert_checks(part *p);
void run_passes(part *p, LLVMTargetMachineRef tm, const char *passes); // LLVM's, in its own notation
void run_pipeline(part *p, LLVMTargetMachineRef tm);                  // pipeline.c
// debug.c: nothing of it does anything without debug information.
void debug_open(part *p);
void debug_close(part *p);
void debug_function(part *p, LLVMValueRef f, uint32_t func); // what is built next is f's; it has code of func
void debug_at(part *p, uint64_t offset);                     // what is built next comes from there; 0: from nowhere
void debug_at_start(part *p, LLVMValueRef f);                // likewise: from where f begins
void debug_near(part *p, LLVMValueRef next);                 // likewise: from where next, or what follows it, comes
void debug_keep_apart(part *p, LLVMValueRef call);           // is not to become one with others like it
void debug_emitted(part *p);
void debug_flatten(part *p); // the last thing that is done to the module
// map.c
void emit_text_start(part *p);
void emit_address_map(part *p);
