;; tests/snapshot/modules/atomics.wat: atomic instructions on a memory that is not shared.
(module
  (memory (export "memory") 1)
  (func (export "wizer-initialize") (local $i i32)
    (loop $again
      (drop (i64.atomic.rmw.add (i32.const 8) (i64.extend_i32_u (local.get $i))))
      (drop (i32.atomic.rmw16.xor_u (i32.const 20) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
    (drop (i32.atomic.rmw.cmpxchg (i32.const 32) (i32.const 0) (i32.const 77)))
    (drop (memory.atomic.notify (i32.const 32) (i32.const 1)))
    (atomic.fence))
  (func (export "add") (param i32) (result i64) (i64.atomic.rmw.add (i32.const 8) (i64.extend_i32_u (local.get 0))))
  (func (export "swap") (param i32) (result i32) (i32.atomic.rmw.xchg (i32.const 32) (local.get 0)))
  (func (export "half") (result i32) (i32.atomic.load16_u (i32.const 20))))
