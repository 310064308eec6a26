;; A scalar loop over linear memory becomes a vector loop. b[i] = a[i] * 3 + 1, n elements.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.scale:
;; CHECK: movdqu {{.*}}%r13
;; CHECK: paddd
;; CHECK: movdqu {{.*}}%r13
;; build: -O2 --emit=asm --target=aarch64-linux-gnu
;; CHECK2-LABEL: t.scale:
;; CHECK2: {{mla|mul|add}} {{.*}}v{{[0-9]+}}.4s
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
