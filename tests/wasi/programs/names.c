// tests/wasi/programs/names.c: directories, links, renames, listing.
#include <dirent.h>

#include "say.h"

static void touch(const char *name) {
    int fd = open(name, O_WRONLY | O_CREAT, 0644);
    if (fd < 0) printf("touch %s: %s\n", name, error_name());
    else close(fd);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *name) {
    char *names[300];
    int n = 0;
    DIR *d = opendir(name);
    if (!d) {
        printf("opendir %s: %s\n", name, error_name());
        return;
    }
    for (struct dirent *e; (e = readdir(d)) && n < 300;) {
        char text[300];
        snprintf(text, sizeof text, "%s%s", e->d_name, e->d_type == DT_DIR ? "/" : e->d_type == DT_LNK ? "@" : "");
        names[n++] = strdup(text);
    }
    rewinddir(d);
    int again = 0;
    while (readdir(d)) again++;
    closedir(d);
    qsort(names, (size_t)n, sizeof *names, by_name);
    printf("%s has %d, again %d:", name, n, again);
    for (int k = 0; k < n; k++) printf(" %s", names[k]);
    printf("\n");
}

static void directories(void) {
    SAY(mkdir("d", 0755));
    SAY(mkdir("d", 0755));
    SAY(mkdir("d/e/", 0755));
    SAY(mkdir("missing/e", 0755));
    touch("d/f");
    SAY(mkdir("d/f/g", 0755));
    SAY(rmdir("d"));
    SAY(rmdir("d/f"));
    SAY(unlink("d/e"));
    SAY(rmdir("d/e"));
    SAY(rmdir("d/e"));
    for (int k = 0; k < 200; k++) {
        char name[32];
        snprintf(name, sizeof name, "d/a-longer-name-%d", k);
        touch(name);
    }
    list("d");
    list("d/f");
    list("missing");
}

static void links(void) {
    char text[64] = "";
    touch("g");
    SAY(symlink("g", "s"));
    SAY(symlink("g", "s"));
    SAY(symlink("missing", "dangling"));
    SAY(symlink("loop", "loop"));
    SAY(symlink("d", "sd"));
    SAY(readlink("s", text, sizeof text));
    printf("%s\n", text);
    SAY(readlink("sd", text, 0 + sizeof text));
    SAY(readlink("g", text, sizeof text));
    SAY(readlink("missing", text, sizeof text));
    SAY_OK(open("s", O_RDONLY));
    SAY_OK(open("s", O_RDONLY | O_NOFOLLOW));
    SAY_OK(open("dangling", O_RDONLY));
    SAY_OK(open("loop", O_RDONLY));
    SAY_OK(open("sd/f", O_RDONLY));
    SAY_OK(open("s/", O_RDONLY));
    SAY_OK(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0644));
    SAY_OK(open("dangling", O_RDWR | O_CREAT, 0644));
    struct stat st;
    SAY(lstat("s", &st) || !S_ISLNK(st.st_mode));
    SAY(stat("s", &st) || !S_ISREG(st.st_mode));
    SAY(stat("loop", &st));
    SAY(stat("g/", &st));
    SAY(lstat("sd/", &st) || !S_ISDIR(st.st_mode));
    SAY(link("g", "h"));
    SAY(link("g", "h"));
    SAY(link("d", "h2"));
    SAY(link("missing", "h3"));
    SAY(link("s", "h4"));
    SAY(lstat("h4", &st) || !S_ISLNK(st.st_mode));
    SAY(linkat(AT_FDCWD, "s", AT_FDCWD, "h5", AT_SYMLINK_FOLLOW));
    SAY(stat("g", &st) || st.st_nlink != 3);
    SAY(unlink("s/"));
    SAY(unlink("sd"));
    SAY(unlink("missing"));
    SAY(unlink("g/"));
}

static void renames(void) {
    touch("x");
    SAY(rename("x", "y"));
    SAY(rename("x", "y"));
    SAY(rename("y", "d/y"));
    SAY(rename("d/y", "d"));
    SAY(mkdir("e", 0755));
    SAY(rename("e", "d"));
    SAY(rename("d", "e"));
    SAY(rename("e", "e/e"));
    SAY(rename("g", "g2/"));
    SAY(rename("e/", "k/"));
    SAY(rename("missing/x", "z"));
    list(".");
}

int main(void) {
    directories();
    links();
    renames();
    return 0;
}
