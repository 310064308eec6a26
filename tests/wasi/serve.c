// tests/wasi/serve.c: gives a server a listener and one client: serve [PROGRAM], a native one; without it, the Wasm
// module `sockets` that this is linked with. Prints what the client got; the status is the server's.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wasmx_wasi.h"

extern const wasmx_module sockets;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void *be_client(void *p) {
    char text[64] = "";
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); // the native server must not hold it too
    if (connect(s, (struct sockaddr *)&address, sizeof address) || send(s, "question", 8, 0) != 8) perror("client");
    recv(s, text, sizeof text - 1, MSG_WAITALL);
    fprintf(stderr, "client: %s", text);
    close(s);
    return p;
}

static int run_native(char **argv, int listener) {
    pid_t child = fork();
    int status = 0;
    if (!child) {
        signal(SIGPIPE, SIG_IGN);
        dup2(listener, 3);
        execv(argv[0], argv);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

int main(int argc, char **argv) {
    pthread_t client;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/wasmx-serve-%d", (int)getpid());
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return perror("listen"), 125;
    wasmx_wasi_config config = {.stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2, .sockets = &listener, .socket_count = 1};
    pthread_create(&client, NULL, be_client, NULL);
    int status = argc > 1 ? run_native(argv + 1, listener) : wasmx_wasi_main(&sockets, &config, false);
    pthread_join(client, NULL);
    unlink(address.sun_path);
    return status;
}
