/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/helper/owned.h"

void owned_field_free(const struct vm_field *f, void *field)
{
}
