;; Members of a structure: one comparison for all of them, with what is stored between them in a cold copy of the way.
;; An array that an index cannot leave is not compared again.
;; build: -O2 --bounds=explicit --emit=asm
;; CHECK-LABEL: t.move:
;; CHECK: cmpq
;; CHECK-NEXT: ja
;; CHECK-NOT: cmp
;; CHECK-DAG: movl {{.*}}, 12(%r13
;; CHECK-DAG: movl {{.*}}, 40(%r13
;; CHECK: retq
;; CHECK-LABEL: t.element:
;; CHECK: cmpq
;; CHECK-NOT: cmp
;; CHECK: retq
(module
  (memory (export "memory") 4)
  (func (export "grow") (drop (memory.grow (i32.const 1))))
  (func $move (export "move") (param $p i32) (param $x i32)
    (i32.store offset=12 (local.get $p) (local.get $x))
    (i32.store offset=40 (local.get $p) (i32.load offset=8 (local.get $p)))
    (i32.store offset=20 (local.get $p) (local.get $x)))
  (func $element (export "element") (param $p i32) (param $x i32) (result i32)
    (i32.store offset=60 (local.get $p) (i32.const 0))
    (i32.load (i32.add (local.get $p) (i32.shl (i32.and (local.get $x) (i32.const 15)) (i32.const 2))))))
