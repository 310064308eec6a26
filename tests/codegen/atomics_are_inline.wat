;; Atomics are instructions of the processor at a checked address: no library function, whose fault would be the host's.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.add:
;; CHECK: testb $3,
;; CHECK: lock addl %{{[a-z0-9]+}}, 8(%r13,{{%r[a-z]+}})
;; CHECK-LABEL: t.swap:
;; CHECK: lock cmpxchgw
;; build: -O2 --emit=asm --target=aarch64-linux-gnu
;; CHECK2-NOT: __aarch64_
;; CHECK2-LABEL: t.add:
;; CHECK2: ldaxr
;; CHECK2: stlxr
;; CHECK2-NOT: __aarch64_
;; build: -O2 --emit=asm --target=aarch64-linux-gnu --features=+lse
;; CHECK3-LABEL: t.add:
;; CHECK3: {{ldaddal|staddl}}
(module
  (memory 1 1)
  (func $add (export "add") (param i32 i32) (drop (i32.atomic.rmw.add offset=8 (local.get 0) (local.get 1))))
  (func $swap (export "swap") (param i32 i32 i32) (result i32)
    (i32.atomic.rmw16.cmpxchg_u (local.get 0) (local.get 1) (local.get 2))))
