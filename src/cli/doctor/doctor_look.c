/* SPDX-License-Identifier: Apache-2.0 */
/* Goes through the table. */
#include "cli/doctor/doctor.h"

const char *doctor_state_name(enum doctor_state state)
{
    static const char *const names[DOCTOR_STATES] = {"ok", "lacks", "unknown", "apart"};
    return names[state];
}

uint32_t doctor_look(const struct doctor *doctor, struct doctor_finding *found)
{
    uint32_t lacking = 0;
    for (uint32_t i = 0; doctor_table[i].name; i++) {
        found[i].state = doctor_table[i].look(doctor, found[i].said);
        lacking += found[i].state == DOCTOR_LACKS;
    }
    return lacking;
}

void doctor_mend(const struct doctor *doctor, struct doctor_finding *found)
{
    for (uint32_t i = 0; doctor_table[i].name; i++) {
        if (found[i].state != DOCTOR_LACKS || !doctor_table[i].fix)
            continue;
        int error = doctor_table[i].fix(doctor);
        found[i].state = doctor_table[i].look(doctor, found[i].said);
        found[i].fixed = error ? error : found[i].state == DOCTOR_OK;
    }
}
