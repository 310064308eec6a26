// floyd-warshall: all shortest paths of a dense graph, in integers.
#include "bench.h"

enum { N = 640 };
static int path[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) path[i][j] = i == j ? 0 : (int)rng_below(100000) + 1;
}

static uint64_t work(void) {
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                int through = path[i][k] + path[k][j];
                path[i][j] = path[i][j] < through ? path[i][j] : through;
            }
    return sum_bytes(path, sizeof path);
}
