/*
 * config_report.h - what the tests of fj_config.h share: a load, and the lines of its report.
 */
#ifndef FASTJOBS_TESTS_CONFIG_REPORT_H
#define FASTJOBS_TESTS_CONFIG_REPORT_H

#include "harness.h"

struct line {
    enum fj_config_outcome outcome;
    int line, column;
    char source[128], pool[64], setting[32], text[256];
};

static struct report {
    int count;
    struct line lines[128];
} s_report;

static inline void copy(char *into, size_t size, const char *from)
{
    snprintf(into, size, "%s", from == NULL ? "(null)" : from);
}

static inline void record(const fj_config_entry *entry, void *closure)
{
    struct report *report = closure;
    struct line *line = &report->lines[report->count];
    if (!CHECK(report->count < 128)) {
        return;
    }
    report->count++;
    line->outcome = entry->outcome;
    line->line = entry->line;
    line->column = entry->column;
    copy(line->source, sizeof(line->source), entry->source);
    copy(line->pool, sizeof(line->pool), entry->pool);
    copy(line->setting, sizeof(line->setting), entry->setting);
    copy(line->text, sizeof(line->text), entry->text);
}

static inline int load(const char *text, const char *name)
{
    memset(&s_report, 0, sizeof(s_report));
    return fj_config_load_string(text, name, record, &s_report);
}

static inline void line_is(int at, enum fj_config_outcome outcome, const char *pool, const char *setting,
                           const char *text)
{
    CHECK_OR_RETURN(at < s_report.count);
    CHECK_EQ(s_report.lines[at].outcome, outcome);
    CHECK_STR(s_report.lines[at].pool, pool == NULL ? "(null)" : pool);
    CHECK_STR(s_report.lines[at].setting, setting == NULL ? "(null)" : setting);
    CHECK_STR(s_report.lines[at].text, text);
}

#endif
