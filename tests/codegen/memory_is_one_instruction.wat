;; ctx is the base of memory 0: an access is one instruction, also for a small negative constant added to the address.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.at:
;; CHECK: movl 20(%r13,{{%r[a-z]+}}), %eax
;; CHECK-LABEL: t.before:
;; CHECK: movl -8(%r13,{{%r[a-z]+}}), %eax
(module
  (memory 1)
  (func $at (export "at") (param i32) (result i32) (i32.load offset=20 (local.get 0)))
  (func $before (export "before") (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.const -8)))))
