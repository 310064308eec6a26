// tests/wasi/programs/sockets.c: a server on a listener that it finds at descriptor 3.
#include <sys/socket.h>

#include "say.h"

int main(void) {
    char text[64] = "";
    int c = accept(3, NULL, NULL);
    SAY(c >= 0);
    SAY(recv(c, text, 4, MSG_PEEK));
    SAY(recv(c, text, sizeof text, MSG_WAITALL * 0));
    printf("%s\n", text);
    SAY(send(c, "answer\n", 7, 0));
    SAY(recv(3, text, 1, 0) < 0);
    SAY(recv(1, text, 1, 0));
    SAY(send(99, text, 1, 0));
    SAY(shutdown(c, SHUT_WR));
    SAY(send(c, "x", 1, 0) < 0);
    SAY(recv(c, text, sizeof text, 0));
    SAY(shutdown(c, SHUT_RDWR) <= 0);
    SAY(shutdown(77, SHUT_RD));
    SAY(close(c));
    SAY(accept(99, NULL, NULL));
    return 3;
}
