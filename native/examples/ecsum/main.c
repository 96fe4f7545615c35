/*
 * main.c - ecsum: SHA-256 of files and of all files below directories, as sha256sum prints them, on all
 * cores. An example of FastJobs' C API: see ecsum.h for the way of a file and pipeline.c for the jobs.
 *
 * The main thread reads options, puts names into the pipeline, and waits for the end.
 */
#include "ecsum.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "Usage: ecsum [OPTION]... [FILE]...\n"
    "Print SHA-256 checksums of files, and of all regular files below directories.\n"
    "\n"
    "With no FILE, or when FILE is -, read standard input.\n"
    "\n"
    "      --files0-from=F   take the names from file F, each ended by NUL;\n"
    "                          if F is -, from standard input\n"
    "  -z, --zero            end each output line with NUL, not newline,\n"
    "                          and disable file name escaping\n"
    "      --help            display this help and exit\n"
    "      --version         output version information and exit\n"
    "\n"
    "The entries of a directory come sorted by their bytes; symbolic links and\n"
    "special files in it are skipped. A link given as FILE is followed.\n"
    "The output can be checked with sha256sum --check.\n"
    "\n"
    "The exit status is 1 if a FILE could not be read or the output not be written.\n";

struct options {
    bool zero;
    const char *files0_from;
};

static _Noreturn void try_help(void)
{
    fputs("Try 'ecsum --help' for more information.\n", stderr);
    exit(EXIT_FAILURE);
}

/* Prints what --help and --version ask for. */
static _Noreturn void say(const char *format, const char *argument)
{
    if (printf(format, argument) < 0 || fflush(stdout) != 0) {
        complain("write error", errno);
        exit(EXIT_FAILURE);
    }
    exit(EXIT_SUCCESS);
}

static struct options parse(int argc, char **argv)
{
    enum { HELP = 256, VERSION, FILES0_FROM };
    static const struct option long_options[] = {{"help", no_argument, NULL, HELP},
                                                 {"version", no_argument, NULL, VERSION},
                                                 {"zero", no_argument, NULL, 'z'},
                                                 {"files0-from", required_argument, NULL, FILES0_FROM},
                                                 {NULL, 0, NULL, 0}};
    static char name[] = "ecsum";
    struct options options = {false, NULL};
    if (argc > 0)
        argv[0] = name; /* what getopt's messages begin with */
    for (int c; (c = getopt_long(argc, argv, "z", long_options, NULL)) != -1;) {
        switch (c) {
        case HELP:
            say("%s", usage);
        case VERSION:
            say("ecsum (FastJobs) %s\n", fj_version());
        case FILES0_FROM:
            options.files0_from = optarg;
            break;
        case 'z':
            options.zero = true;
            break;
        default:
            try_help();
        }
    }
    if (options.files0_from != NULL && optind < argc) {
        fprintf(stderr, "ecsum: extra operand %s\n", quoted(argv[optind]));
        fputs("file operands cannot be combined with --files0-from\n", stderr);
        try_help();
    }
    return options;
}

/* A descriptor 0, 1 or 2 that is closed would be given to the next file that is opened. This fills the gap
 * with one that fails in the same way as a closed one. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            exit(EXIT_FAILURE);
}

/* A message from the main thread, in its place in the output. */
static void complain_in_order(const char *what, int error)
{
    pipeline_drain();
    complain(what, error);
}

static void complain_about_name(const char *list, unsigned long number, const char *what)
{
    char *message = NULL;
    if (asprintf(&message, "%s:%lu: %s", list, number, what) < 0)
        die("memory exhausted", NULL);
    complain_in_order(message, 0);
    free(message);
}

static void walk_list(const char *list)
{
    bool standard_input = strcmp(list, "-") == 0;
    FILE *f = standard_input ? stdin : fopen(list, "re");
    if (f == NULL) {
        complain(quoted(list), errno);
        return;
    }
    char *name = NULL;
    size_t capacity = 0;
    unsigned long number = 0;
    bool go_on = true;
    while (go_on && (errno = 0, getdelim(&name, &capacity, '\0', f)) >= 0) {
        number++;
        if (*name == '\0')
            complain_about_name(list, number, "invalid zero-length file name");
        else if (standard_input && strcmp(name, "-") == 0)
            complain_about_name(list, number, "no file name of '-' allowed in standard input");
        else
            go_on = walk(name);
    }
    if (ferror(f))
        complain_in_order(quoted(list), errno);
    free(name);
    if (!standard_input)
        fclose(f);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    setlocale(LC_ALL, "");
    struct options options = parse(argc, argv);
    print_start(options.zero);
    batch_set_up();
    pipeline_start();

    if (options.files0_from != NULL)
        walk_list(options.files0_from);
    else if (optind == argc)
        walk("-");
    else
        for (int i = optind; i < argc && walk(argv[i]); i++)
            ;

    pipeline_stop();
    batch_tear_down();
    return print_finish();
}
