// bench/js-handler.js: the service that bench/js measures: a little JSON from a table that was filled before the snapshot.
const greetings = new Map(Object.entries({ en: 'Hello', de: 'Hallo', fr: 'Bonjour', es: 'Hola' }));
let requests = 0;

addEventListener('fetch', (event) => {
    Date.now(); // the host sees this call: the first JavaScript of the request
    const request = event.request, url = new URL(request.url);
    const greeting = `${greetings.get(request.headers.get('accept-language'))}, ${url.searchParams.get('name')}`;
    event.respondWith(new Response(JSON.stringify({ greeting, requests: ++requests }),
        { headers: { 'content-type': 'application/json' } }));
});
