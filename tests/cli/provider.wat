(module
  (memory (export "memory") 1 3)
  (table (export "table") 4 funcref)
  (global (export "base") i32 (i32.const 1000))
  (global (export "top") (mut i32) (i32.const 50))
  (func (export "lookup") (param i32) (result i32) (i32.const 99)))
