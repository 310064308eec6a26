;; The context stays in its register: a recursive call neither moves, saves nor restores it.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.fib:
;; CHECK-NOT: {{push.*%r13}}
;; CHECK: cmpq -{{[0-9]+}}(%r13), %rsp
;; CHECK-NOT: %r13
;; CHECK: callq t.fib
;; CHECK-NOT: %r13
;; CHECK: .size t.fib,
;; build: -O2 --emit=asm --target=aarch64-linux-gnu
;; CHECK2-LABEL: t.fib:
;; CHECK2-NOT: {{(mov|ldr|ldp|stp|str).x20,}}
;; CHECK2: bl t.fib
;; CHECK2-NOT: {{(mov|ldr|ldp|stp|str).x20,}}
;; CHECK2: .size t.fib,
(module
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2))))))))
