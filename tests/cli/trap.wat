(module
  (memory (export "memory") 1)
  (func $deep (param i32) (result i32) (i32.load (local.get 0)))
  (func $middle (param i32) (drop (call $deep (local.get 0))))
  (func $_start (export "_start") (call $middle (i32.const -4))))
