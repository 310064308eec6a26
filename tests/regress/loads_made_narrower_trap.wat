;; Of a load whose upper bits nobody wants LLVM made a narrower one, which did not trap at the end of memory.
;; run: wrap 65528
;; CHECK: 7
;; run: wrap 65529
;; CHECK: out of bounds
;; run: mask 65532
;; CHECK: 0
;; run: mask 65533
;; CHECK: out of bounds
;; run: mask_sum 65533
;; CHECK: out of bounds
;; run: store 65530
;; CHECK: out of bounds
;; run: shift 65533
;; CHECK: out of bounds
;; run: lane 65529
;; CHECK: out of bounds
(module
  (memory 1)
  (data (i32.const 65528) "\07\00\00\00\00\00\00\00")
  (func (export "wrap") (param $p i32) (result i32)
    (i32.store (i32.const 16) (i32.wrap_i64 (i64.load (local.get $p)))) (i32.load (i32.const 16)))
  (func (export "mask") (param $p i32) (result i32)
    (i32.store (i32.const 16) (i32.and (i32.load (local.get $p)) (i32.const 255))) (i32.load (i32.const 16)))
  (func (export "mask_sum") (param $p i32) (result i32)
    (i32.store (i32.const 16) (i32.and (i32.add (i32.load (local.get $p)) (i32.const 3)) (i32.const 65535)))
    (i32.load (i32.const 16)))
  (func (export "store") (param $p i32) (i64.store8 (i32.const 0) (i64.load (local.get $p))))
  (func (export "shift") (param $p i32) (result i32)
    (i32.store (i32.const 16) (i32.shl (i32.load (local.get $p)) (i32.const 24))) (i32.load (i32.const 16)))
  (func (export "lane") (param $p i32) (result i32)
    (i32.store (i32.const 16) (i32x4.extract_lane 0 (v128.load (local.get $p)))) (i32.load (i32.const 16))))
