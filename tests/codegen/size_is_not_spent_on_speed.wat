;; -Os: no copies of what is called twice, no vectors, nothing unrolled; a switch of traps is one trap of each kind.
;; build: -Os --emit=asm --target=x86_64-linux-gnu
;; CHECK-LABEL: t.twice:
;; CHECK: call{{.*}}t.mix
;; CHECK: call{{.*}}t.mix
;; CHECK-LABEL: t.scale:
;; CHECK-NOT: %xmm
;; CHECK: movl{{.*}}, (%r{{.*}})
;; CHECK-NOT: movl{{.*}}, (%r{{.*}})
;; CHECK: ret
;; CHECK-LABEL: t.quotients:
;; CHECK: ud1l	7(
;; CHECK-NOT: ud1l	7(
;; CHECK: .size	t.quotients
;; build: -O2 --emit=asm --target=x86_64-linux-gnu
;; CHECK2-LABEL: t.twice:
;; CHECK2-NOT: call
;; CHECK2: ret
;; CHECK2-LABEL: t.scale:
;; CHECK2: paddd
(module
  (memory (export "memory") 16)
  (func $mix (export "mix") (param $x i32) (result i32)
    (local.set $x (i32.mul (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 15))) (i32.const 0x2c1b3c6d)))
    (local.set $x (i32.mul (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 12))) (i32.const 0x297a2d39)))
    (local.set $x (i32.add (i32.rotl (local.get $x) (i32.const 9)) (i32.shl (local.get $x) (i32.const 3))))
    (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 15))))
  (func $twice (export "twice") (param $x i32) (result i32)
    (i32.add (call $mix (local.get $x)) (call $mix (i32.add (local.get $x) (i32.const 77)))))
  (func $scale (export "scale") (param $a i32) (local $i i32)
    (loop $next
      (i32.store (i32.add (local.get $a) (local.get $i)) (i32.add (i32.const 1) (i32.mul (i32.const 3)
        (i32.load (i32.add (local.get $a) (local.get $i))))))
      (br_if $next (i32.ne (i32.const 524288) (local.tee $i (i32.add (local.get $i) (i32.const 4)))))))
  (func $quotients (export "quotients") (param $a i32) (param $b i32) (param $c i32) (result i32)
    (i32.add (i32.div_u (local.get $a) (local.get $b)) (i32.div_u (local.get $a) (local.get $c)))))
