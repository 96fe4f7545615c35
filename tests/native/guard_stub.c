/* guard_stub.c - stands in for guard.c in tests that link a part of the native code without the engine. */
#include <stdarg.h>
#include <stdio.h>

#include "../../native/src/guard.h"
#include "fj_base.h"

static _Thread_local int t_code;
static _Thread_local char t_text[256];

void fj_set_error(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t_code = code;
    vsnprintf(t_text, sizeof(t_text), format, arguments);
    va_end(arguments);
}

int fj_host_is_sanitized(void)
{
    return 0; /* what the sanitizer is to see here is the memory types' own ways from thread to thread */
}

FJ_API int fj_last_error_code(void)
{
    return t_code;
}

FJ_API const char *fj_last_error(void)
{
    return t_text;
}
