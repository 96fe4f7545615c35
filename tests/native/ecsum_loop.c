/*
 * ecsum_loop.c - what ecsum is compared with: one thread that opens, reads, hashes and closes file after
 * file.
 *
 * usage: ecsum_loop LIST      LIST: names, each ended by NUL
 *
 * A fair rival: the algorithm is fetched once, one context and one buffer are reused, the output is buffered.
 * It prints what sha256sum -z prints.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

static unsigned char buffer[256 * 1024];

static int hash_file(const char *name, EVP_MD *sha256, EVP_MD_CTX *hash, unsigned char *digest)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int ok = EVP_DigestInit_ex2(hash, sha256, NULL);
    ssize_t n;
    while (ok && (n = read(fd, buffer, sizeof buffer)) != 0)
        ok = n > 0 && EVP_DigestUpdate(hash, buffer, (size_t)n);
    close(fd);
    return ok && EVP_DigestFinal_ex(hash, digest, NULL);
}

int main(int argc, char **argv)
{
    FILE *list = argc == 2 ? fopen(argv[1], "re") : NULL;
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (list == NULL || sha256 == NULL || hash == NULL) {
        fputs("usage: ecsum_loop LIST\n", stderr);
        return 2;
    }
    static char output[64 * 1024];
    setvbuf(stdout, output, _IOFBF, sizeof output);

    int status = EXIT_SUCCESS;
    char *name = NULL;
    size_t capacity = 0;
    while (getdelim(&name, &capacity, '\0', list) > 0) {
        static const char hex[] = "0123456789abcdef";
        unsigned char digest[32];
        char line[2 * sizeof digest + 2];
        if (!hash_file(name, sha256, hash, digest)) {
            perror(name);
            status = EXIT_FAILURE;
            continue;
        }
        for (size_t i = 0; i < sizeof digest; i++) {
            line[2 * i] = hex[digest[i] >> 4];
            line[2 * i + 1] = hex[digest[i] & 15];
        }
        memset(line + 2 * sizeof digest, ' ', 2);
        fwrite_unlocked(line, 1, sizeof line, stdout);
        fputs_unlocked(name, stdout);
        putc_unlocked('\0', stdout);
    }
    free(name);
    fclose(list);
    EVP_MD_CTX_free(hash);
    EVP_MD_free(sha256);
    return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
