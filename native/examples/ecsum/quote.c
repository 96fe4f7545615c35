/*
 * quote.c - names in messages, quoted for the shell where they need it, just as the GNU tools do.
 *
 * Called by whoever may print (print.c): the result is in one static buffer.
 */
#include "ecsum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* The length of the character at s. Sets whether it can be shown as it is. */
static size_t character(const char *s, mbstate_t *state, bool *printable)
{
    wchar_t wide;
    size_t length = mbrtowc(&wide, s, MB_CUR_MAX, state);
    if (length == 0 || length > MB_CUR_MAX) { /* not a character of this locale */
        *state = (mbstate_t){0};
        *printable = false;
        return 1;
    }
    *printable = iswprint((wint_t)wide);
    return length;
}

static bool all_printable(const char *name)
{
    mbstate_t state = {0};
    bool printable = true;
    while (*name != '\0' && printable)
        name += character(name, &state, &printable);
    return printable;
}

static bool needs_quotes(const char *name)
{
    if (*name == '\0' || strpbrk(name, " !\"$&()*;<=>[^`|?\\':") != NULL || strchr("#~", *name) != NULL ||
        strcmp(name, "{") == 0 || strcmp(name, "}") == 0)
        return true;
    return !all_printable(name);
}

/* Whether double quotes do: they are preferred if the name has an apostrophe and nothing that means something
 * between them, or might to some shell. */
static bool fits_double_quotes(const char *name)
{
    if (strchr(name, '\'') == NULL || strpbrk(name, "!\"$&()*;<=>[^`|?\\{}") != NULL ||
        strpbrk(name + 1, "#~") != NULL)
        return false;
    return all_printable(name);
}

static char *put_escape(char *out, unsigned char c)
{
    static const char codes[] = "\a\b\f\n\r\t\v", letters[] = "abfnrtv";
    const char *code = strchr(codes, c);
    return out + (code != NULL ? sprintf(out, "\\%c", letters[code - codes]) : sprintf(out, "\\%03o", c));
}

const char *quoted(const char *name)
{
    static char *buffer;
    if (!needs_quotes(name))
        return name;
    free(buffer);
    buffer = need(malloc(10 * strlen(name) + 8)); /* '$'\000'' is the longest that a byte becomes */
    if (fits_double_quotes(name)) {
        sprintf(buffer, "\"%s\"", name);
        return buffer;
    }

    char *out = buffer;
    bool escaping = false; /* inside $'...' */
    mbstate_t state = {0};
    *out++ = '\'';
    while (*name != '\0') {
        bool printable;
        size_t length = character(name, &state, &printable);
        if (!printable) {
            if (!escaping)
                out = stpcpy(out, "'$'");
            for (size_t i = 0; i < length; i++)
                out = put_escape(out, (unsigned char)name[i]);
            escaping = true;
        } else if (*name == '\'') {
            out = stpcpy(out, "'\\''");
            escaping = false;
        } else {
            if (escaping)
                out = stpcpy(out, "''");
            out = mempcpy(out, name, length);
            escaping = false;
        }
        name += length;
    }
    strcpy(out, "'");
    return buffer;
}
