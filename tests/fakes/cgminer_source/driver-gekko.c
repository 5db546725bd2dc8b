/* The options that a build with the driver has. */
const char *gekko_options =
	"--gekko-2pac-freq <arg> Set GekkoScience 2Pac BM1384 frequency in MHz\n"
	"--gekko-compac-freq <arg> Set GekkoScience Compac BM1384 frequency in MHz\n"
	"--gekko-terminus-freq <arg> Set GekkoScience Terminus BM1384 frequency in MHz\n"
	"--gekko-newpac-freq <arg> Set GekkoScience NewPac BM1387 frequency in MHz\n"
	"--gekko-r606-freq <arg> Set GekkoScience Terminus R606 frequency in MHz\n"
	"--gekko-compacf-freq <arg> Set GekkoScience CompacF BM1397 frequency in MHz\n"
	"--gekko-r909-freq <arg> Set GekkoScience Terminus R909 BM1397 frequency in MHz\n"
	"--gekko-start-freq <arg> Ramp start frequency MHz 25-500\n"
	"--gekko-tune2 <arg> Tune up mine2 mins 30-9999\n";
