;; A table nobody writes is read-only data; with one signature in it the type is not looked at.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.pick:
;; CHECK: cmpl $3, %edi
;; CHECK-NOT: cmp
;; CHECK: leaq t.wx.table.0(%rip)
;; CHECK: callq *8(
;; CHECK: .size t.pick,
(module
  (type $f (func (param i32) (result i32)))
  (table 4 4 funcref)
  (elem (i32.const 0) $a $b $c $pick)
  (func $a (type $f) (i32.const 1))
  (func $b (type $f) (i32.const 2))
  (func $c (type $f) (i32.const 3))
  (func $pick (export "pick") (type $f) (call_indirect (type $f) (local.get 0) (local.get 0))))
