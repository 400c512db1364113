/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Angles in cycles (1 = a full turn), without libm: additions, products and a square root only, so that every
 * compiler and every processor gives the same bits.
 */
#ifndef FLYBALL_CORE_ANGLE_H
#define FLYBALL_CORE_ANGLE_H

#define ANGLE_TWO_PI 6.283185307179586476925
#define ANGLE_MOST 1099511627776.0      /* cycles: 2^40 */

/* rt: cosine and sine of an angle of less than 2^40 cycles; wrong by less than 4e-16 beside what the angle
 * itself is rounded by. */
void angle_turn(double cycles, double *cosine, double *sine);

/* rt: where (x, y) points, in cycles, -0.5 to 0.5; 0 for (0, 0). Wrong by less than 2e-16. */
double angle_of(double x, double y);

/* rt: into -0.5 to 0.5; 0 for ANGLE_MOST cycles and more, and for what is no number */
double angle_near(double cycles);

#endif
