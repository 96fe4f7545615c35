/*
 * names.c - names and ids as the library has them, in UTF-8, and as Tcl has them. Tcl writes U+0000 as two
 * bytes, Tcl 8 also a character beyond U+FFFF as the two halves of a pair; and a half may stand alone.
 */
#include "ns_job.h"
#include <string.h>

/* A half of a pair, three bytes from 0xED on: its ten bits, or -1. */
static int half(const unsigned char *at, int low)
{
    int is_half = at[0] == 0xED && (at[1] & 0xF0) == (low ? 0xB0 : 0xA0) && (at[2] & 0xC0) == 0x80;
    return is_half ? (at[1] & 0x0F) << 6 | (at[2] & 0x3F) : -1;
}

static int is_zero(const unsigned char *at)
{
    return at[0] == 0xC0 && at[1] == 0x80;
}

/* Where the text is not what the library takes, or its end. */
static const unsigned char *plain_part(const unsigned char *at)
{
    while (*at && !is_zero(at) && half(at, 0) < 0 && half(at, 1) < 0) {
        at++;
    }
    return at;
}

Tcl_Obj *fjt_name(Tcl_Obj *obj)
{
    const unsigned char *begin = (const unsigned char *)Tcl_GetString(obj), *at = plain_part(begin);
    Tcl_Obj *name = obj;
    Tcl_IncrRefCount(obj);
    if (*at) {
        name = Tcl_NewObj();
        Tcl_IncrRefCount(name);
        Tcl_DecrRefCount(obj);
    }
    while (*at) {
        int high = half(at, 0), low = high >= 0 ? half(at + 3, 1) : -1;
        if (low < 0) {
            Tcl_DecrRefCount(name);
            return NULL;
        }
        int code = 0x10000 + (high << 10 | low);
        char bytes[] = {(char)(0xF0 | code >> 18), (char)(0x80 | (code >> 12 & 0x3F)),
                        (char)(0x80 | (code >> 6 & 0x3F)), (char)(0x80 | (code & 0x3F))};
        Tcl_AppendToObj(name, (const char *)begin, (Tcl_Size)(at - begin));
        Tcl_AppendToObj(name, bytes, sizeof bytes);
        begin = at + 6;
        at = plain_part(begin);
        if (!*at) {
            Tcl_AppendToObj(name, (const char *)begin, (Tcl_Size)(at - begin));
        }
    }
    return name;
}

int fjt_check_name(Tcl_Interp *interp, Tcl_Obj *name, const char *what)
{
    return name ? TCL_OK
                : fjt_error(interp, "%s contains U+0000 or half of a surrogate pair, which is no text", what);
}

Tcl_Obj *fjt_name_object(const char *name)
{
    const char *at = name;
    while (*at && (unsigned char)*at < 0xF0) {
        at++;
    }
    if (!*at) {
        return Tcl_NewStringObj(name, (Tcl_Size)(at - name));
    }
    Tcl_DString text;
    Tcl_Encoding utf8 = Tcl_GetEncoding(NULL, "utf-8");
    Tcl_ExternalToUtfDString(utf8, name, -1, &text);
    Tcl_FreeEncoding(utf8);
    Tcl_Obj *object = Tcl_NewStringObj(Tcl_DStringValue(&text), Tcl_DStringLength(&text));
    Tcl_DStringFree(&text);
    return object;
}

fj_job_id fjt_named_id(fjt_interp *data, Tcl_Obj *obj)
{
    Tcl_Obj *before = data->id;
    data->id = fjt_name(obj);
    if (before) {
        Tcl_DecrRefCount(before);
    }
    return fj_job_named(data->id ? Tcl_GetString(data->id) : "");
}

fj_job_id fjt_job_id(fjt_interp *data, Tcl_Obj *obj)
{
    const char *text = Tcl_GetString(obj), *at = text + 3;
    long long number = 0;
    if (strncmp(text, "job", 3) != 0 || (*at == '0' && at[1])) {
        return fjt_named_id(data, obj);
    }
    for (; *at >= '0' && *at <= '9' && at - text < 21; at++) {
        number = number * 10 + (*at - '0');
    }
    return *at || at == text + 3 ? fjt_named_id(data, obj) : fj_job_number(number);
}
