// tests/snapshot/handler.js: what a service at the edge does before its first request: a table of 50,000 entries.
const table = new Map();
for (let i = 0; i < 50000; i++) table.set(`key ${i}`, i * i);
addEventListener('fetch', (event) => event.respondWith(new Response(JSON.stringify({ value: table.get('key 777') }))));
