/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for /dev/crash of the RHEL family, whose driver Debian has not:
 * a module for the guest's kernel. (CUSE, which makes character devices in
 * user space, does not hand on the offset of a read.)
 *
 * The rules are that driver's. A read that does not lie within one page is
 * EINVAL, a page that is no RAM is EFAULT, and so is one that the kernel
 * itself cannot read. Opening it needs CAP_SYS_RAWIO.
 *
 * Parameters, in /sys/module/crash/parameters:
 *   bad      addresses of pages that are answered with EFAULT
 *   watched  addresses of pages of which reads are counted in `touched`
 *   reads    reads that were asked for
 *   wrong    of these, such that were not for one whole page
 *   touched  of these, such that were for a watched page
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#define PAGES_MAX 64

struct counter {
	atomic_long_t value;
};

static unsigned long long bad[PAGES_MAX];
static unsigned int bad_count;
module_param_array(bad, ullong, &bad_count, 0600);

static unsigned long long watched[PAGES_MAX];
static unsigned int watched_count;
module_param_array(watched, ullong, &watched_count, 0600);

static struct counter reads, wrong, touched;

static int counter_get(char *buf, const struct kernel_param *param)
{
	struct counter *counter = param->arg;

	return sysfs_emit(buf, "%ld\n", atomic_long_read(&counter->value));
}

static const struct kernel_param_ops counter_ops = { .get = counter_get };

module_param_cb(reads, &counter_ops, &reads, 0400);
module_param_cb(wrong, &counter_ops, &wrong, 0400);
module_param_cb(touched, &counter_ops, &touched, 0400);

static bool is_among(
	unsigned long long addr, const unsigned long long *list, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (list[i] >> PAGE_SHIFT == addr >> PAGE_SHIFT)
			return true;
	}
	return false;
}

static int crash_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	file->private_data = (void *)__get_free_page(GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int crash_release(struct inode *inode, struct file *file)
{
	free_page((unsigned long)file->private_data);
	return 0;
}

static ssize_t crash_read(
	struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	const u64 addr = (u64)*pos;

	atomic_long_inc(&reads.value);
	if (count != PAGE_SIZE || addr % PAGE_SIZE != 0)
		atomic_long_inc(&wrong.value);
	if (is_among(addr, watched, watched_count))
		atomic_long_inc(&touched.value);
	if (count == 0)
		return 0;
	if (addr >> PAGE_SHIFT != (addr + count - 1) >> PAGE_SHIFT)
		return -EINVAL;
	if (!page_is_ram((unsigned long)(addr >> PAGE_SHIFT)) ||
		is_among(addr, bad, bad_count))
		return -EFAULT;
	/* Some pages, secret ones for example, are not mapped. */
	if (copy_from_kernel_nofault(
		    file->private_data, __va((phys_addr_t)addr), count))
		return -EFAULT;
	if (copy_to_user(buf, file->private_data, count))
		return -EFAULT;
	*pos += (loff_t)count;
	return (ssize_t)count;
}

static const struct file_operations crash_ops = {
	.owner = THIS_MODULE,
	.open = crash_open,
	.release = crash_release,
	.read = crash_read,
	.llseek = no_seek_end_llseek,
};

static struct miscdevice crash_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "crash",
	.fops = &crash_ops,
	.mode = 0600,
};

module_misc_device(crash_device);
MODULE_DESCRIPTION("the rules of /dev/crash, for a test");
/* What it calls is for GPL-compatible modules only. */
MODULE_LICENSE("Dual MIT/GPL");
