;; Atomics that change nothing and whose result nobody needs are removed by an optimiser; their traps must not be.
;; run: or 0x10000
;; run: or8 0x10000
;; run: and 0x10000
;; run: load 0x10000
;; run: exchange 0x10000
;; run: or 2
;; run: load 0xffff
;; run: offset 0xfffe
;; run: wait 0
;; run: wait 0x10000
;; run: notify 2
;; run: notify 0x10000
;; run: notify 0
;; CHECK: out of bounds memory access
;; CHECK: out of bounds memory access
;; CHECK: out of bounds memory access
;; CHECK: out of bounds memory access
;; CHECK: out of bounds memory access
;; CHECK: unaligned atomic
;; CHECK: unaligned atomic
;; CHECK: out of bounds memory access
;; CHECK: expected shared memory
;; CHECK: out of bounds memory access
;; CHECK: unaligned atomic
;; CHECK: out of bounds memory access
;; CHECK: {{^}}0
(module
  (memory 1 1)
  (func (export "or") (param i32) (drop (i32.atomic.rmw.or (local.get 0) (i32.const 0))))
  (func (export "or8") (param i32) (drop (i32.atomic.rmw8.or_u (local.get 0) (i32.const 0))))
  (func (export "and") (param i32) (drop (i64.atomic.rmw.and (local.get 0) (i64.const -1))))
  (func (export "load") (param i32) (drop (i32.atomic.load (local.get 0))))
  (func (export "exchange") (param i32) (drop (i32.atomic.rmw.cmpxchg (local.get 0) (i32.const 1) (i32.const 1))))
  (func (export "offset") (param i32) (drop (i32.atomic.load offset=2 (local.get 0))))
  (func (export "wait") (param i32) (drop (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0))))
  (func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1))))
