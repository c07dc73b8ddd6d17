from leadflow_assets_tests.integration.purge_helpers import *
from leadflow_assets_tests.integration.pipeline_helpers import settings_for
from leadflow_assets.enrich.purge.service import Purges
from leadflow_assets.enrich.purge.target import read_person, read_case
import time
def test_first(tmp_path, clean_environment, sample_package):
    s=settings_for(tmp_path/"data", leadflow_demo=True)
    p=plant(s, sample_package[0])
    print(p.owner)
    print("\n".join(places_that_say(p,p.owner.needles)))
    pu=Purges(s)
    t=read_person(p.owner.name, address=p.owner.site_address, town_id=999)
    t0=time.time(); print(pu.purge(t,reason="opt_out",by="x",dry_run=True)); print(time.time()-t0)
    t0=time.time(); print(pu.purge(t,reason="opt_out",by="x")); print(time.time()-t0)
    print("AFTER", places_that_say(p,p.owner.needles))
    t0=time.time(); print(pu.purge(read_case("mab:26-40104"),reason="sealed",by="x")); print(time.time()-t0)
    print("AFTER", places_that_say(p,["26-40104","thistlewood"]))
    assert 0
