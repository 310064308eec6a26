;; clang leaves element 0 of a table empty and puts other types behind. Where all functions of a type are side by
;; side, one comparison says that an index is one of them, and what is wrong with it is found out after that.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.pick:
;; CHECK: leal -4(%rdi), %e[[N:[a-z]+]]
;; CHECK-NEXT: cmpl $-4, %e[[N]]
;; CHECK-NOT: cmp
;; CHECK: callq *8(
;; CHECK: .size t.pick,
(module
  (type $f (func (param i32) (result i32)))
  (table 5 5 funcref)
  (elem (i32.const 1) $a $b $pick $other)
  (func $a (type $f) (i32.const 1))
  (func $b (type $f) (i32.const 2))
  (func $other)
  (func $pick (export "pick") (type $f) (call_indirect (type $f) (local.get 0) (local.get 0))))
