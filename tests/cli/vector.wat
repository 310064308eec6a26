;; tests/cli/vector.wat: a function that is compiled when it is called first, because nothing interprets vectors
(module (memory (export "memory") 1)
  (func (export "one") (result i32) (i32.const 1))
  (func (export "sum") (result i32) (i32x4.extract_lane 1 (i32x4.add (v128.const i32x4 1 2 3 4) (v128.load (i32.const 0)))))
  (func (export "init") (v128.store (i32.const 0) (v128.const i32x4 5 6 7 8))))
