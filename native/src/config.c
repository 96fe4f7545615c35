/*
 * config.c - the functions of fj_config.h, and how the engine tells of a configuration that it could not read
 * at its start, when no caller is there to hear of it.
 */
#include <stdio.h>

#include "fj_config.h"
#include "guard.h"

int fj_config_load_file(const char *path, fj_config_callback report, void *closure)
{
    return fj_enter() ? fj_engine.config_load_file(path, report, closure) : FJ_CONFIG_FAILED;
}

int fj_config_load_string(const char *text, const char *name, fj_config_callback report, void *closure)
{
    return fj_enter() ? fj_engine.config_load_string(text, name, report, closure) : FJ_CONFIG_FAILED;
}

int fj_config_reload(fj_config_callback report, void *closure)
{
    return fj_enter() ? fj_engine.config_reload(report, closure) : FJ_CONFIG_FAILED;
}

void fj_host_warn(const char *text)
{
    fprintf(stderr, "fastjobs: %s\n", text);
}
