;; x * 1, x - 0, x / 1 and demote(promote(x)) make a signalling NaN quiet, so they are not x.
;; Code on demand (-O0) makes it the canonical one.
;; run: mul 0x7ff0000000000001
;; run: sub 0x7ff0000000000001
;; run: div 0x7ff0000000000001
;; run: trip 0x7f800001
;; CHECK: {{922112023704109056[01]}}
;; CHECK: {{922112023704109056[01]}}
;; CHECK: {{922112023704109056[01]}}
;; CHECK: {{214328934[45]}}
(module
  (func (export "mul") (param i64) (result i64)
    (i64.reinterpret_f64 (f64.mul (f64.reinterpret_i64 (local.get 0)) (f64.const 1))))
  (func (export "sub") (param i64) (result i64)
    (i64.reinterpret_f64 (f64.sub (f64.reinterpret_i64 (local.get 0)) (f64.const 0))))
  (func (export "div") (param i64) (result i64)
    (i64.reinterpret_f64 (f64.div (f64.reinterpret_i64 (local.get 0)) (f64.const 1))))
  (func (export "trip") (param i32) (result i32)
    (i32.reinterpret_f32 (f32.demote_f64 (f64.promote_f32 (f32.reinterpret_i32 (local.get 0)))))))
