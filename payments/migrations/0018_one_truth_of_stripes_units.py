"""How Stripe counts a currency is said in `payments.providers.stripe.amounts`; the column said it, too, to nobody."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0017_pages_planned_anew")]

    # Going back it is 1 everywhere: nothing reads it.
    operations = [migrations.RemoveField("currency", "stripe_factor")]
