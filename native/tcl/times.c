/*
 * times.c - time values: SECS:MICROSECS, SECS.FRACTION, or a number with a unit.
 */
#include "ns_job.h"
#include <limits.h>
#include <string.h>

static const struct {
    const char *name;
    long long microseconds;
} units[] = {{"", 1000000},           {"ms", 1000},
             {"s", 1000000},          {"m", 60 * 1000000LL},
             {"h", 3600 * 1000000LL}, {"d", 86400 * 1000000LL}};

/* Of a number before the point: what is longer overflows, and is some 30,000 years anyway. */
enum { MOST_DIGITS = 12 };

/* Digits, of which there may be none. NULL: too many. */
static const char *read_digits(const char *at, long long *value, int *digits)
{
    *value = 0;
    for (*digits = 0; *at >= '0' && *at <= '9'; at++, ++*digits) {
        if (*digits == MOST_DIGITS) {
            return NULL;
        }
        *value = *value * 10 + (*at - '0');
    }
    return at;
}

/* What is behind the point, in millionths; further digits do not count. */
static const char *read_fraction(const char *at, long long *millionths, int *digits)
{
    long long scale = 100000;
    *millionths = 0;
    for (*digits = 0; *at >= '0' && *at <= '9'; at++, ++*digits) {
        *millionths += scale * (*at - '0');
        scale /= 10;
    }
    return at;
}

static int bad_time(Tcl_Interp *interp, const char *text)
{
    return fjt_error(interp, "expected time value but got \"%s\"", text);
}

int fjt_time(Tcl_Interp *interp, Tcl_Obj *obj, const char *option, long long *microseconds)
{
    const char *text = Tcl_GetString(obj), *at = text;
    int negative = *at == '-', digits, more = 0;
    long long whole, part = 0;
    at = read_digits(at + (negative || *at == '+'), &whole, &digits);
    if (!at) {
        return bad_time(interp, text);
    }
    if (*at == ':') {
        at = read_digits(at + 1, &part, &more);
        if (!at || *at || !more) {
            return bad_time(interp, text);
        }
        *microseconds = whole * 1000000 + part;
    } else {
        if (*at == '.') {
            at = read_fraction(at + 1, &part, &more);
        }
        if (digits + more == 0) {
            return bad_time(interp, text);
        }
        size_t unit = 0, count = sizeof units / sizeof *units;
        while (unit < count && strcmp(at, units[unit].name) != 0) {
            unit++;
        }
        if (unit == count) {
            return fjt_error(interp, "unknown time unit \"%s\" in \"%s\": must be ms, s, m, h, or d", at,
                             text);
        }
        *microseconds = (long long)((double)whole * (double)units[unit].microseconds) +
                        part * units[unit].microseconds / 1000000;
    }
    if (negative && *microseconds != 0) {
        return fjt_error(interp, "expected time value in range [0,MAX] for '%s', but got %s", option, text);
    }
    return TCL_OK;
}

int fjt_milliseconds(long long microseconds)
{
    if (microseconds < 0) {
        return -1;
    }
    long long rounded = (microseconds + 999) / 1000;
    return rounded > INT_MAX ? INT_MAX : (int)rounded;
}
