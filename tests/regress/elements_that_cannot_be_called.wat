;; What is wrong with an element is found out after the one comparison that says that something is; small functions are
;; called without the table, large ones through it. Not a bug that was.
;; run: small 1 5
;; CHECK: 12
;; run: small 3 5
;; CHECK: -2
;; run: small 0 5
;; CHECK: uninitialized element
;; run: small 2 5
;; CHECK: indirect call type mismatch
;; run: small 8 5
;; CHECK: undefined element
;; run: small -1 5
;; CHECK: undefined element
;; run: large 4
;; CHECK: 4
;; run: large 6
;; CHECK: 6
;; run: large 3
;; CHECK: indirect call type mismatch
;; run: large 0
;; CHECK: 6
;; run: large 7
;; CHECK: uninitialized element
;; run: large 8
;; CHECK: undefined element
;; run: large -1
;; CHECK: undefined element
(module
  (type $f (func (param i32) (result i32)))
  (type $g (func (param i64) (result i32)))
  (table 8 8 funcref)
  (elem (i32.const 1) $add $other $sub $a $b $choose)
  (func $add (type $f) (i32.add (local.get 0) (i32.const 7)))
  (func $other)
  (func $sub (type $f) (i32.sub (local.get 0) (i32.const 7)))
  (func $a (type $g) (i32.const 4))
  (func $b (type $g) (i32.const 5))
  ;; in its own table: not one of few small ones
  (func $choose (type $g) (if (result i32) (i64.eqz (local.get 0)) (then (i32.const 6))
    (else (call_indirect (type $g) (i64.const 0) (i32.wrap_i64 (local.get 0))))))
  (func (export "small") (param i32 i32) (result i32) (call_indirect (type $f) (local.get 1) (local.get 0)))
  (func (export "large") (param i32) (result i32) (call $choose (i64.extend_i32_s (local.get 0)))))
