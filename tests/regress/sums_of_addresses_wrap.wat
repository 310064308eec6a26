;; Where constants may become displacements, and where not: an address wraps at 4 GiB before the offset is added.
;; Not a bug that was, but every one that could be.
;; run: load 4294967288 16
;; CHECK: 8
;; run: pair 4294967288
;; CHECK: out of bounds
;; run: back 4
;; CHECK: out of bounds
;; run: back_offset 4
;; CHECK: out of bounds
;; run: twice 16
;; CHECK: 72
;; run: twice 4
;; CHECK: out of bounds
;; run: twice_offset 4
;; CHECK: out of bounds
;; run: up_over 4294967280
;; CHECK: out of bounds
;; run: over_the_top
;; CHECK: out of bounds
;; run: through_zero
;; CHECK: 60
;; run: only_some 4294967280
;; CHECK: 20
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\00\00\04\00\00\00\08\00\00\00\0c\00\00\00\10\00\00\00\14\00\00\00\18\00\00\00\1c\00\00\00")
  (data (i32.const 48) "\38\00\00\00")
  ;; 0xFFFFFFF8 + 16 is 8
  (func (export "load") (param $x i32) (param $d i32) (result i32) (i32.load (i32.add (local.get $x) (local.get $d))))
  ;; the first one traps
  (func (export "pair") (param $x i32) (result i32)
    (i32.add (i32.load (local.get $x)) (i32.load (i32.add (local.get $x) (i32.const 16)))))
  ;; 4 - 8 is past the end, with an offset too, which must not lift it back to 12
  (func (export "back") (param $x i32) (result i32) (i32.load (i32.add (local.get $x) (i32.const -8))))
  (func (export "back_offset") (param $x i32) (result i32) (i32.load offset=16 (i32.add (local.get $x) (i32.const -8))))
  ;; the same after an access at x has succeeded
  (func (export "twice") (param $x i32) (result i32)
    (i32.add (i32.load (local.get $x)) (i32.load offset=40 (i32.add (local.get $x) (i32.const -8)))))
  (func (export "twice_offset") (param $x i32) (result i32)
    (i32.add (i32.load (local.get $x)) (i32.load offset=16 (i32.add (local.get $x) (i32.const -8)))))
  (func (export "up_over") (param $x i32) (result i32)
    (i32.add (i32.load offset=16 (local.get $x)) (i32.load (i32.add (local.get $x) (i32.const 32)))))
  ;; a loop that would go on from 4 GiB to 0 if the access at the top did not trap
  (func (export "over_the_top") (result i32) (local $i i32) (local $sum i32)
    (local.set $i (i32.const -32))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $i))))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16))))
    (local.get $sum))
  ;; a counter that wraps, in addresses that do not
  (func (export "through_zero") (result i32) (local $i i32) (local $sum i32)
    (local.set $i (i32.const -16))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.add (local.get $i) (i32.const 16)))))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 8))))
    (local.get $sum))
  ;; a load that is not made in every iteration proves nothing: the address wraps in between, rightly
  (func (export "only_some") (param $x i32) (result i32) (local $i i32) (local $sum i32)
    (loop $next
      (if (i32.ge_s (i32.add (local.get $x) (local.get $i)) (i32.const 8))
        (then (local.set $sum (i32.add (local.get $sum) (i32.load (i32.add (local.get $x) (local.get $i)))))))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 32))))
    (local.get $sum)))
