// examples/compute/handler.js: what the server runs for every request, each in an instance of its own.
//
// Everything at the top level has run before the snapshot: the table is there when the first request comes.
const greetings = new Map();
for (const [language, word] of Object.entries({ en: 'Hello', de: 'Hallo', fr: 'Bonjour', es: 'Hola', pt: 'Olá' }))
    greetings.set(language, word);
let requests = 0; // never more than 1: no request sees another

addEventListener('fetch', (event) => event.respondWith(handle(event.request)));

async function handle(request) {
    const started = Date.now();
    const url = new URL(request.url);
    if (url.pathname === '/crash') throw new Error('as asked');
    if (url.pathname === '/spin') for (;;);
    if (url.pathname === '/echo') return new Response(await request.text(), { status: 201 });
    const language = (request.headers.get('accept-language') ?? 'en').slice(0, 2);
    const answer = {
        greeting: `${greetings.get(language) ?? 'Hi'}, ${url.searchParams.get('name') ?? 'you'}`,
        path: url.pathname,
        requests: ++requests,
        clock: started > 0,
    };
    return new Response(JSON.stringify(answer), { headers: { 'content-type': 'application/json' } });
}
