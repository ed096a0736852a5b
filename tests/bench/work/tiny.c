/* SPDX-License-Identifier: Apache-2.0 */
/* Does nothing, as /bin/true, but without a loader that opens files. */
/* build: -static */
int main(void)
{
	return 0;
}
