(module
  (func $fine (result i32) (i32.const 1))
  (func $bad (export "bad") (result i32) (i64.const 1)))
