/*
 * test_io_strings.c - the strings of misc/ec_string.h, into which a read job reads.
 */
#define _GNU_SOURCE
#include "io.h"

static void strings_grow_under_each_type(void)
{
    int types[] = {STRING_TYPE_MALLOC, STRING_TYPE_ECSTRING, STRING_TYPE_MESSAGE_BODY};
    for (int i = 0; i < 3; i++) {
        struct _ec_string text;
        CHECK_EQ(string_init_type(&text, 1, types[i]), 1);
        CHECK_EQ(text.len, 0);
        CHECK_STR(text.buffer, "");
        for (int j = 0; j < 1000; j++) {
            CHECK_EQ(stringwrite2(&text, "0123456789", 10), 10);
        }
        CHECK_EQ(text.len, 10000);
        CHECK_EQ(strlen(text.buffer), 10000);
        CHECK(text.allocd > 10000);
        CHECK(types[i] < 0 || live(types[i]) == 1);
        CHECK_EQ(string_destroy(&text), 1);
        CHECK(text.buffer == NULL && text.len == 0 && text.allocd == 0);
        CHECK(types[i] < 0 || live(types[i]) == 0);
        CHECK_EQ(stringwrite2(&text, "again", 5), 5);
        CHECK_STR(text.buffer, "again");
        string_destroy(&text);
    }
    CHECK_EQ(string_destroy(NULL), 1);
}

static void static_strings_are_full_or_move(void)
{
    char room[8];
    struct _ec_string fixed = {0, (int)sizeof(room), room, STRING_TYPE_STATIC, NULL};
    CHECK_EQ(stringwrite2(&fixed, "1234567", 7), 7);
    CHECK_STR(room, "1234567");
    errno = 0;
    CHECK_EQ(stringwrite2(&fixed, "8", 1), -1);
    CHECK_EQ(errno, ENOSPC);
    CHECK_EQ(fixed.len, 7);
    string_destroy(&fixed);
    CHECK(fixed.buffer == room && fixed.len == 0);

    struct _ec_string moving = {0, (int)sizeof(room), room, STRING_TYPE_GROWABLE_STATIC, NULL};
    CHECK_EQ(stringwrite2(&moving, "1234567", 7), 7);
    CHECK(moving.buffer == room);
    CHECK_EQ(stringwrite2(&moving, "89", 2), 2);
    CHECK_EQ(moving.type, STRING_TYPE_ECSTRING);
    CHECK_STR(moving.buffer, "123456789");
    string_destroy(&moving);
    CHECK_EQ(live(MEMTYPE_STRING), 0);
}

static void wrong_strings_fail(void)
{
    struct _ec_string text = {0, 0, NULL, STRING_TYPE_ECSTRING, NULL};
    CHECK_EQ(string_init_type(NULL, 1, STRING_TYPE_MALLOC), 0);
    CHECK_EQ(string_init_type(&text, 0, STRING_TYPE_MALLOC), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(string_init_type(&text, 1, -101), 0);
    CHECK_STR(fj_last_error(), "string_init_type: strings of type -101 cannot be made here");
    CHECK_EQ(string_init_type(&text, 1, MEMTYPE_EC_ASYNC_JOB), 0);
    CHECK_EQ(string_init_type(&text, 1, 1000000), 0);
    CHECK_EQ(stringwrite2(NULL, "x", 1), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(stringwrite2(&text, NULL, 1), -1);
    text.len = 5;
    CHECK_EQ(stringwrite2(&text, "x", 1), -1); /* it says that it has bytes and no room */
    text.len = 0;
    CHECK_EQ(stringwrite2(&text, "x", (size_t)INT_MAX), -1);
    CHECK_EQ(errno, EFBIG);
    CHECK(text.buffer == NULL);
    CHECK_EQ(stringwrite2(&text, NULL, 0), 0);
    CHECK_STR(text.buffer, "");
    string_destroy(&text);
}

int main(void)
{
    RUN(strings_grow_under_each_type);
    RUN(static_strings_are_full_or_move);
    RUN(wrong_strings_fail);
    return check_report();
}
