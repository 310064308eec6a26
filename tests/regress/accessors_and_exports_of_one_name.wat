;; The accessor of a global `x` and an exported function `x_get` had one C name, and the object two definitions of it.
;; run: x_get
;; CHECK: 8
(module
  (global (export "x") i32 (i32.const 5))
  (func (export "x_get") (result i32) (i32.const 8)))
