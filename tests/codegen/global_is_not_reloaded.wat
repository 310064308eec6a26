;; A store to linear memory cannot change a global: its value is loaded once.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.twice:
;; CHECK-COUNT-1: {{mov|add}}{{.*}}-6{{[0-9]+}}(%r13)
;; CHECK-NOT: -6{{[0-9]+}}(%r13)
;; CHECK: .size t.twice,
(module
  (memory 1)
  (global $g (export "g") (mut i32) (i32.const 7))
  (func $twice (export "twice") (param i32) (result i32)
    (i32.store (local.get 0) (global.get $g))
    (i32.store offset=4 (local.get 0) (global.get $g))
    (global.get $g)))
