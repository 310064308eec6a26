;; A table nobody writes is read-only data; with one signature in it the type is not looked at.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.pick:
;; CHECK: cmpl $2, %edi
;; CHECK-NOT: cmp
;; CHECK: leaq t.wx.table.0(%rip)
;; CHECK: callq *8(
;; CHECK: .size t.pick,
(module
  (type $f (func (result i32)))
  (table 3 3 funcref)
  (elem (i32.const 0) $a $b $c)
  (func $a (result i32) (i32.const 1))
  (func $b (result i32) (i32.const 2))
  (func $c (result i32) (i32.const 3))
  (func $pick (export "pick") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))
