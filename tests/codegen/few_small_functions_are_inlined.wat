;; A call through a table that never changes, to one of few small functions, is a switch over their bodies.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.pick:
;; CHECK-NOT: call
;; CHECK: .size t.pick,
(module
  (type $f (func (param i32) (result i32)))
  (table 4 4 funcref)
  (elem (i32.const 1) $add $other $sub)
  (func $add (type $f) (i32.add (local.get 0) (i32.const 7)))
  (func $other)
  (func $sub (type $f) (i32.sub (local.get 0) (i32.const 7)))
  (func $pick (export "pick") (param i32 i32) (result i32) (call_indirect (type $f) (local.get 1) (local.get 0))))
