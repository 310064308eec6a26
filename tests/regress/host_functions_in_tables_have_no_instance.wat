;; The adapter of a host function gets the function's own record as its context, not an instance: it read a stack limit
;; there. Called directly, through a table, and as the start function would.
;; run: direct
;; run: indirect
;; CHECK: 0
;; CHECK: 0
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (table 1 funcref)
  (elem (i32.const 0) $yield)
  (memory (export "memory") 1)
  (func (export "direct") (result i32) (call $yield))
  (func (export "indirect") (result i32) (call_indirect (result i32) (i32.const 0))))
