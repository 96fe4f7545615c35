/* ec_config.h - included first by sources of the original; FastJobs needs no configuration here. */
#ifndef FASTJOBS_EC_CONFIG_H
#define FASTJOBS_EC_CONFIG_H
#endif
