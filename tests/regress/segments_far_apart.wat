;; Bytes in distant pages, later ones over earlier ones, out of the image as well as in it.
;; run: get 0
;; run: get 65535
;; run: get 131071
;; CHECK: 7
;; CHECK: 66
;; CHECK: 67
(module
  (memory 2)
  (data (i32.const 65535) "AC")
  (data (i32.const 0) "\01")
  (data (i32.const 131071) "C")
  (data (i32.const 65535) "B")
  (data (i32.const 0) "\07")
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0))))
