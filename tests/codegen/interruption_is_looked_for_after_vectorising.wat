;; --interruptible: the loop is vectorised all the same, and left after a few hundred iterations to look.
;; build: -O2 --emit=asm --interruptible
;; CHECK-LABEL: t.scale:
;; CHECK: movdqu {{.*}}%r13
;; CHECK: paddd
;; CHECK-NOT: movzbl
;; CHECK: jne
;; CHECK-NEXT: cmpl
;; CHECK-NEXT: je
;; CHECK-NEXT: movzbl -{{[0-9]+}}(%r13), %
;; CHECK: .size t.scale,
;; build: -O2 --emit=asm --interruptible --target=aarch64-linux-gnu
;; CHECK2-LABEL: t.scale:
;; CHECK2: {{mla|mul|add}} {{.*}}v{{[0-9]+}}.4s
;; CHECK2-NOT: ldrb
;; CHECK2: b.ne
;; CHECK2: ldrb w{{[0-9zr]+}}, [x
;; CHECK2: .size t.scale,
(module
  (memory (export "memory") 1)
  (func $scale (export "scale") (param $a i32) (param $b i32) (param $n i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (br_if $done (i32.eqz (local.get $n)))
      (loop $next
        (i32.store (local.get $b)
          (i32.add (i32.mul (i32.load (local.get $a)) (i32.const 3)) (i32.const 1)))
        (local.set $b (i32.add (local.get $b) (i32.const 4)))
        (br_if $next (i32.ne (local.tee $a (i32.add (local.get $a) (i32.const 4))) (local.get $end)))))))
