;; x + c in 32 bits may wrap, but not where an access at x has succeeded: then c is a displacement, and one register holds
;; all addresses. Without such a proof the sum stays.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.after:
;; CHECK-NOT: {{lea|add}}l {{.*}}24
;; CHECK: 24(%r13,{{%r[a-z]+}})
;; CHECK: .size
;; CHECK-LABEL: t.alone:
;; CHECK: {{(leal 24)|(addl \$24)}}
;; CHECK: .size
(module
  (memory 1)
  (func $after (export "after") (param $x i32) (result i32)
    (i32.add (i32.load (local.get $x)) (i32.load (i32.add (local.get $x) (i32.const 24)))))
  (func $alone (export "alone") (param $x i32) (result i32)
    (i32.load (i32.add (local.get $x) (i32.const 24)))))
